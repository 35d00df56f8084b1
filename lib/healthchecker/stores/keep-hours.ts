/** How long a store keeps the hours of an app after the last one, in milliseconds: 30 days. */
export const keepHours = 30 * 86_400_000
