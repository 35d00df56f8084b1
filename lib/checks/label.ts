import { invalid } from '../core/options.js'

/** How a check is called: by the name that it was given, or by its kind and what it looks at. */
export class Label {
  readonly name: string
  readonly text: string

  /** @throws ERR_INVALID_OPTION */
  constructor (kind: string, subject: string, name: unknown) {
    if (name !== undefined && (typeof name !== 'string' || name === '')) {
      throw invalid('the option "name"', 'a string with a character or more', name)
    }
    this.text = name === undefined ? `${kind}(${subject})` : `${kind}(${JSON.stringify(name)}, ${subject})`
    this.name = name ?? this.text
  }
}
