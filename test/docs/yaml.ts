import { parseAllDocuments } from 'yaml'

/** The documents of a block. Whether they mean what the page says is another test's affair. */
export function documentsOf (text: string): unknown[] {
  return parseAllDocuments(text).map((document) => {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) throw new Error(problem.message)
    return document.toJS()
  })
}

/** @throws where it is no YAML 1.2, or holds nothing: a text would be YAML too */
export function checkYaml (text: string): void {
  const documents = documentsOf(text)
  if (documents.length === 0 || documents.some((one) => typeof one !== 'object' || one === null)) {
    throw new Error('a yaml block holds objects or lists')
  }
}
