import { codedError } from './errors.js'

/**
 * A package that only some apps have.
 *
 * @param load imports it
 * @throws ERR_PACKAGE_MISSING where it is not installed
 */
export async function driver<T> (names: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw codedError('ERR_PACKAGE_MISSING', `this needs a package that is not installed: npm install ${names}`, { cause })
  }
}
