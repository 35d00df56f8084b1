import type { FastifyServerOptions } from 'fastify'
import type { StatusProvider } from './handler.js'
import type { Fleet } from './healthchecker.js'

export interface HealthcheckerOptions {
  /** The apps that are watched. The healthchecker starts and closes it. */
  fleet: Fleet
  /** The address or name to listen on. Default `127.0.0.1`. Beyond this machine it needs a `token`, or `open`. */
  host?: string
  /** The TCP port: 0 to 65535, where 0 takes any free one. Default 8080. */
  port?: number
  /** The bearer token that every change needs: 16 characters at least, chosen at random. Default: none is needed. */
  token?: string
  /** Let everybody who can reach it change what is watched, without a token. Default false. */
  open?: boolean
  /** Announce it over mDNS. Default true. */
  announce?: boolean
  /** Who may get mail, whoever registers: addresses, domains such as `@example.org`, or `*`. Default: nobody; a registration that carries the token names whom it likes. */
  mailAllow?: readonly string[]
  /** Sends the mails that the fleet owes; its `owe` is an option of the fleet. Where it has a `getStatus`, that is the status handler `healthchecker mail`. Default: none are sent. */
  mailer?: { start (fleet: Fleet): Promise<void>, close (): Promise<void> } & Partial<StatusProvider>
  /** For Fastify: a logger, HTTPS, and so on. Default: warnings and errors go to stderr, a line of JSON each. */
  fastify?: FastifyServerOptions
}
