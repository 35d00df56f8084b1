import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { checkout } from './example.js'

/** What users copy. */
export const shipped = join(checkout, 'docs', 'prometheus')

interface Configuration {
  global: Record<string, string>
  alerting: { alertmanagers: Array<{ static_configs: Array<{ targets: string[] }> }> }
  scrape_configs: Array<{ static_configs: Array<{ targets: string[], labels: Record<string, string> }> }>
}

/** The shipped files in a folder, with other addresses and with times that a test can wait for; everything else is as shipped. */
export async function copyShipped (folder: string, addresses: { readonly targets: readonly string[], readonly alertmanager: string, readonly webhook: string }): Promise<void> {
  const configuration = parse(await read('prometheus.yml')) as Configuration
  configuration.global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' }
  configuration.alerting.alertmanagers[0].static_configs[0].targets = [addresses.alertmanager]
  configuration.scrape_configs[0].static_configs[0].targets = [...addresses.targets]
  await writeFile(join(folder, 'prometheus.yml'), stringify(configuration))
  await writeFile(join(folder, 'rules.yml'), replaced(await read('rules.yml'), /^( +for:) .+$/gm, '$1 3s'))
  const times = replaced(await read('alertmanager.yml'), /^( +group_(?:wait|interval):) .+$/gm, '$1 1s')
  await writeFile(join(folder, 'alertmanager.yml'), replaced(times, /localhost:5001/g, addresses.webhook))
}

async function read (name: string): Promise<string> {
  return await readFile(join(shipped, name), 'utf8')
}

function replaced (text: string, what: RegExp, by: string): string {
  const changed = text.replace(what, by)
  if (changed === text) throw new Error(`${what} is not in the shipped file`)
  return changed
}
