// Does what the documentation asks of curl, for machines that have none. Knows no other options.
const options = { headers: [], method: undefined, head: false, include: false, output: undefined, format: '', body: undefined }
const addresses = []
const words = process.argv.slice(2)

while (words.length > 0) {
  const word = words.shift()
  if (!word.startsWith('-')) addresses.push(word)
  else if (word.startsWith('--')) refuse(word)
  else for (const letter of word.slice(1)) take(letter)
}
if (addresses.length !== 1) refuse(addresses.join(' '))

function take (letter) {
  if (letter === 's') return
  if (letter === 'i') options.include = true
  else if (letter === 'I') options.head = options.include = true
  else if (letter === 'X') options.method = words.shift()
  else if (letter === 'd') options.body = words.shift()
  else if (letter === 'H') options.headers.push(words.shift())
  else if (letter === 'u') options.headers.push(`Authorization: Basic ${btoa(words.shift())}`)
  else if (letter === 'o') options.output = words.shift()
  else if (letter === 'w') options.format = words.shift()
  else refuse(`-${letter}`)
}

function refuse (what) {
  console.error(`this stand-in for curl does not understand ${what}`)
  process.exit(2)
}

if (options.output !== undefined && options.output !== '/dev/null') refuse(`-o ${options.output}`)
const { request } = await import('node:http')
const headers = Object.fromEntries([['user-agent', 'curl'], ['accept', '*/*'], ...options.headers.map((line) => {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
})])

request(addresses[0], { method: options.method ?? (options.head ? 'HEAD' : 'GET'), headers, agent: false }, async (reply) => {
  let text = ''
  if (options.include) {
    text += `HTTP/${reply.httpVersion} ${reply.statusCode} ${reply.statusMessage}\r\n`
    for (let index = 0; index < reply.rawHeaders.length; index += 2) text += `${reply.rawHeaders[index]}: ${reply.rawHeaders[index + 1]}\r\n`
    text += '\r\n'
  }
  for await (const part of reply.setEncoding('utf8')) text += part
  if (options.output === undefined) process.stdout.write(text)
  process.stdout.write(options.format.replaceAll('\\n', '\n').replaceAll('%{http_code}', String(reply.statusCode)).replaceAll('%{content_type}', reply.headers['content-type'] ?? ''))
}).on('error', (error) => {
  console.error(error.message)
  process.exitCode = 7
}).end(options.body)
