/** What follows the options in the help of a command. */
export function teach (...parts: string[]): string {
  return ['', ...parts].join('\n')
}

export const addresses = `Addresses:
  localhost:8080            http, where no scheme is given
  https://host/prefix       where the plugin is registered under a prefix
  http://host/svc_status    any address of the plugin stands for its service`

export const stateCodes = `Exit codes; of several services the highest counts:
  0  OK
  1  YELLOW
  2  RED
  3  unreachable: no answer in time, or none of a svc_status
  64 wrong command line; nothing was asked`

export const readersToken = `Token:
  None is sent, unless --token-file names one: for a service that wants to know
  who reads.`

export const operatorsToken = `Token:
  SVC_STATUS_TOKEN in the environment, or the file that --token-file names.
  Never an argument: every user of the machine can read those. It goes to other
  machines by https alone, unless --token-over-http allows it, and follows no
  redirect.`

export const orderCodes = `Exit codes; of several services the highest counts:
  0  each of them did it
  3  no answer in time, or none of a svc_status
  4  it answered, and did not do it
  64 wrong command line; nothing was sent`
