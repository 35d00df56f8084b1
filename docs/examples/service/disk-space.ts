import { statfs } from 'node:fs/promises'
import { OK, RED, YELLOW, type StatusHandler } from 'fastify-svc-status'

/** How much of the disk that a folder is on is free: YELLOW below 10 %, RED below 2 %. */
export function diskSpace (folder: string): StatusHandler {
  return async () => {
    const { bavail, blocks } = await statfs(folder)
    const free = bavail / blocks
    return {
      state: free < 0.02 ? RED : free < 0.1 ? YELLOW : OK,
      detail: `${(free * 100).toFixed(1)} % free`,
      metrics: { free_ratio: free }
    }
  }
}
