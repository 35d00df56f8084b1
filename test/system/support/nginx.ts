import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from './folder.js'
import { freePort } from '../../support/free-port.js'
import { peer } from './peers.js'
import { Program } from './programs.js'
import { until } from './until.js'

/**
 * nginx over some instances. Without checks of its own, it finds out by failing: it asks another instance where one has closed
 * the connection without a reply. An instance that drains answers everything it began, so nothing is done twice.
 */
export async function startNginx (t: Parameters<typeof Program.start>[0], ports: readonly number[]): Promise<string> {
  const folder = await temporaryFolder(t)
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  await writeFile(file, configuration(port, folder, ports))
  const program = await Program.start(t, peer('nginx'), ['-p', folder, '-c', file, '-e', 'stderr'])
  const origin = `http://127.0.0.1:${port}`
  await until('nginx answers', async () => {
    if (program.ended) throw new Error(program.stderr)
    return (await fetch(`${origin}/quick`)).ok
  })
  return origin
}

function configuration (port: number, folder: string, ports: readonly number[]): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')
  return `
daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
error_log stderr crit;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off;
${paths}
  upstream instances {
${ports.map((one) => `    server 127.0.0.1:${one} max_fails=1 fail_timeout=1s;`).join('\n')}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 10000000;
    location / {
      proxy_pass http://instances;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }
}
`
}
