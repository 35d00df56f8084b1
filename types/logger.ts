/** The part of a pino logger that this package calls. */
export interface Logger {
  info (message: string): void
  info (details: object, message?: string): void
  warn (message: string): void
  warn (details: object, message?: string): void
  error (message: string): void
  error (details: object, message?: string): void
}
