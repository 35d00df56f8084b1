import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

export const root = join(import.meta.dirname, '..', '..')

/** What a call of `knownOptions` says: which options there are, and the defaults where they are taken apart at once. */
export interface OptionsOfCode {
  /** As in error messages: `the option "svcStatus"`. */
  readonly where: string
  readonly names: readonly string[]
  /** The text of the default by option, where it is written beside the call and can be read by a user too. */
  readonly defaults: ReadonlyMap<string, string>
}

function parsed (folder: string): ts.SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.tst.ts'))
    .map((name) => join(root, folder, name))
    .map(parse)
}

function parse (path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
}

function nodesOf (node: ts.Node): ts.Node[] {
  return [node, ...node.getChildren().flatMap(nodesOf)]
}

/** All options that the code knows. */
export function optionsOfCode (): OptionsOfCode[] {
  return parsed('lib').flatMap((file) => nodesOf(file)
    .filter((node) => ts.isCallExpression(node))
    .filter(({ expression }) => expression.getText() === 'knownOptions')
    .map((call) => ({
      where: (call.arguments[2] as ts.StringLiteral).text,
      names: stringsOf(call.arguments[1], file),
      defaults: defaultsOf(call.parent)
    })))
}

/** A list of strings, or the constant that holds it: of that file, or of one that it imports from. */
function stringsOf (list: ts.Node, file: ts.SourceFile): string[] {
  if (ts.isIdentifier(list)) {
    for (const source of [file, ...importsOf(file)]) {
      const constant = nodesOf(source).find((node) => ts.isVariableDeclaration(node) && node.name.getText() === list.text)
      if (constant !== undefined) return stringsOf((constant as ts.VariableDeclaration).initializer as ts.Node, source)
    }
  }
  if (ts.isAsExpression(list)) return stringsOf(list.expression, file)
  return (list as ts.ArrayLiteralExpression).elements.flatMap((element) =>
    ts.isSpreadElement(element) ? stringsOf(element.expression, file) : [(element as ts.StringLiteral).text])
}

function importsOf (file: ts.SourceFile): ts.SourceFile[] {
  return file.statements.filter((statement) => ts.isImportDeclaration(statement))
    .map(({ moduleSpecifier }) => (moduleSpecifier as ts.StringLiteral).text)
    .filter((name) => name.startsWith('.') && !name.includes('/types/'))
    .map((name) => parse(join(dirname(file.fileName), name.replace(/\.js$/, '.ts'))))
}

function defaultsOf (declaration: ts.Node): Map<string, string> {
  const defaults = new Map<string, string>()
  if (!ts.isVariableDeclaration(declaration) || !ts.isObjectBindingPattern(declaration.name)) return defaults
  for (const { name, propertyName, initializer } of declaration.name.elements) {
    if (initializer !== undefined && isLiteral(initializer)) defaults.set((propertyName ?? name).getText(), initializer.getText())
  }
  return defaults
}

/** What a page can show as it stands: a literal, or a call such as `second(5)`. */
function isLiteral (value: ts.Expression): boolean {
  if (ts.isCallExpression(value)) return ['second', 'minute', 'hour', 'day'].includes(value.expression.getText())
  return ts.isLiteralExpression(value) || ts.isArrayLiteralExpression(value) || ts.isObjectLiteralExpression(value) ||
    value.kind === ts.SyntaxKind.TrueKeyword || value.kind === ts.SyntaxKind.FalseKeyword
}

/** The entries of the package. */
const entries = [join(root, 'lib', 'index.ts'), join(root, 'lib', 'failover', 'index.ts'), join(root, 'lib', 'healthchecker', 'index.ts')]

/** The names that the entries export, those of types included. */
export function exportsOfCode (): string[] {
  const contracts = parsed('types').flatMap(exportedNames)
  const exported = parsed('lib').filter(({ fileName }) => entries.includes(fileName)).flatMap(nodesOf)
  return [...contracts, ...exported.filter((node) => ts.isExportSpecifier(node)).map(({ name }) => name.text)]
    .filter((name) => name !== 'default')
}

function exportedNames (file: ts.SourceFile): string[] {
  return file.statements
    .filter((statement) => ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
    .filter(({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    .map(({ name }) => name.text)
}
