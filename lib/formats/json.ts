import type { Format } from '../../types/format.js'
import { shown } from './shown.js'
import { UnchangedText } from './unchanged-text.js'

/** An object with every property that a handler gave, by name. */
export function jsonFormat (): Format {
  // Written part by part: as a property of an object, the name __proto__ would be lost.
  const text = new UnchangedText({ open: '{', separator: ',', close: '}' }, (entry, { details }) => {
    const status = shown(entry)
    return `${JSON.stringify(entry.name)}:${JSON.stringify(details ? status : { state: status.state })}`
  })
  return {
    name: 'json',
    contentTypes: ['application/json; charset=utf-8'],
    render: (snapshot, context) => text.render(snapshot, context)
  }
}
