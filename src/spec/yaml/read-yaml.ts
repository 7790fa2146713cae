import { Cursor } from "./cursor.ts"
import { YamlSyntaxError, type YamlMap, type YamlNode } from "./node.ts"
import { beginsPlain, blockScalar, isFlowMark, plainLine, plainRest, quoted } from "./scalars.ts"

export { YamlSyntaxError, type YamlMap, type YamlNode, type YamlScalar } from "./node.ts"

/** Of lists and mappings in each other: no person writes a tenth of it. */
const MAX_DEPTH = 500
/** A node of two bytes takes a hundred in memory. */
const MAX_NODES = 250_000

const [DASH, COLON, QUESTION, COMMA] = [45, 58, 63, 44]
const [BANG, QUOTE, AMPERSAND, APOSTROPHE, STAR] = [33, 34, 38, 39, 42]
const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP, BAR, GREATER] = [91, 93, 123, 125, 124, 62]
const NAME = /[^ \t\n,[\]{}]+/y
const TAG = /!(?:<[^>\n]*>|[^ \t\n,[\]{}]*)/y
const DIRECTIVE = /(?:%[^\n]*\n|[ \t]*(?:#[^\n]*)?\n)*/y
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F]/

interface Properties {
  anchor?: string
  tag?: string
}

/**
 * Documents of a YAML 1.2 text, as libyaml reads it; Bun's own reader knows no places and no tags, and a reader of all styles
 * of all versions takes longer to load than a file takes to read. Undefined: an empty document. Throws YamlSyntaxError.
 */
export function readYaml(text: string): (YamlNode | undefined)[] {
  const control = CONTROL.exec(text)
  if (control) throw new YamlSyntaxError("control characters are not allowed", control.index)
  return new Reader(text).documents()
}

/** Line ends made one kind and the mark of UTF-8 left out, as places in the text are counted. */
export function yamlLines(text: string): string {
  const plain = text.startsWith("\uFEFF") ? text.slice(1) : text
  return plain.includes("\r") ? plain.replace(/\r\n?/g, "\n") : plain
}

class Reader {
  readonly #cursor: Cursor
  #anchors = new Map<string, YamlNode>()
  #depth = 0
  #nodes = 0

  constructor(text: string) {
    this.#cursor = new Cursor(text)
  }

  documents(): (YamlNode | undefined)[] {
    const cursor = this.#cursor
    const documents: (YamlNode | undefined)[] = []
    for (;;) {
      cursor.skip()
      if (cursor.column === 0 && cursor.code() === 0x25) this.#directives()
      if (cursor.isEnd) return documents
      const isExplicit = cursor.isMarker()
      if (isExplicit) {
        const isEnd = cursor.text.startsWith("...", cursor.pos)
        cursor.pos += 3
        if (isEnd) continue
      }
      this.#anchors = new Map()
      const root = this.#block(-1, !isExplicit, 0)
      documents.push(isAbsent(root) ? undefined : root)
      cursor.skip()
      if (!cursor.isEnd && !cursor.isMarker()) cursor.fail("did not find expected <document start>")
    }
  }

  #directives(): void {
    const cursor = this.#cursor
    const start = cursor.pos
    cursor.match(DIRECTIVE)
    cursor.lineStart = cursor.pos
    if (!cursor.isMarker()) cursor.fail("did not find expected <document start>", start)
  }

  /**
   * What follows a key, a dash or nothing. A mapping or list of lines may begin right here where `mayBegin`; on a later line it is
   * indented by more than `parentIndent`, a list from `listIndent` on.
   */
  #block(parentIndent: number, mayBegin: boolean, listIndent: number): YamlNode {
    const cursor = this.#cursor
    const start = cursor.pos
    const crossed = cursor.skip()
    if (this.#isOutside(crossed, parentIndent, listIndent)) return this.#empty(start, {})
    this.#enter()
    const node = this.#blockContent(parentIndent, mayBegin || crossed, listIndent)
    this.#depth--
    return node
  }

  #isOutside(crossed: boolean, parentIndent: number, listIndent: number): boolean {
    const cursor = this.#cursor
    if (cursor.isEnd || cursor.isMarker()) return true
    if (!crossed || cursor.column > parentIndent) return false
    return !(cursor.column >= listIndent && cursor.code() === DASH && cursor.isBlank(1))
  }

  #blockContent(parentIndent: number, mayBegin: boolean, listIndent: number): YamlNode {
    const cursor = this.#cursor
    const { column: indent, pos: start } = cursor
    const properties = this.#properties()
    if (properties.anchor !== undefined || properties.tag !== undefined) {
      const crossed = cursor.skip()
      if (this.#isOutside(crossed, parentIndent, listIndent)) return this.#empty(start, properties)
      if (crossed) return this.#withProperties(parentIndent, listIndent, properties, start)
    }
    const hasProperties = cursor.pos !== start
    const code = cursor.code()
    if (code === DASH && cursor.isBlank(1)) {
      if (!mayBegin || hasProperties) cursor.fail("block sequence entries are not allowed in this context")
      return this.#list(indent, {}, indent === parentIndent)
    }
    if (code === QUESTION && cursor.isBlank(1)) {
      if (!mayBegin || hasProperties) cursor.fail("mapping keys are not allowed in this context")
      return this.#map(indent, {}, undefined)
    }
    if (code === BAR || code === GREATER) {
      const node = this.#made({ kind: "scalar", at: start, text: "", isPlain: false }, properties)
      if (node.kind === "scalar") node.text = blockScalar(cursor, parentIndent)
      return node
    }
    return this.#lineContent(parentIndent, mayBegin, indent, start, properties)
  }

  /** Properties that stood on a line of their own are those of what follows, be it a mapping or a list. */
  #withProperties(parentIndent: number, listIndent: number, properties: Properties, start: number): YamlNode {
    const cursor = this.#cursor
    const { column: indent } = cursor
    if (cursor.code() === DASH && cursor.isBlank(1)) return this.#list(indent, properties, indent === parentIndent)
    if (cursor.code() === QUESTION && cursor.isBlank(1)) return this.#map(indent, properties, undefined)
    if (this.#isKeyAhead()) return this.#map(indent, properties, undefined)
    const node = this.#blockContent(parentIndent, true, listIndent)
    if (properties.tag !== undefined) node.tag ??= properties.tag
    if (properties.anchor !== undefined) this.#anchors.set(properties.anchor, node)
    node.at = start
    return node
  }

  /** Whether this line is `key: …`. What a try of it finds wrong is found again. */
  #isKeyAhead(): boolean {
    const cursor = this.#cursor
    const before = cursor.place()
    const nodes = this.#nodes
    const anchors = new Map(this.#anchors)
    try {
      this.#key()
      return true
    } catch (error) {
      if (!(error instanceof YamlSyntaxError)) throw error
      return false
    } finally {
      cursor.returnTo(before)
      this.#nodes = nodes
      this.#anchors = anchors
    }
  }

  /** A scalar, an alias or a flow collection; or a mapping that begins with it as its first key. */
  #lineContent(parentIndent: number, mayBegin: boolean, indent: number, start: number, own: Properties): YamlNode {
    const cursor = this.#cursor
    const { lineStart } = cursor
    const at = cursor.pos
    if (beginsPlain(cursor, false)) {
      const first = plainLine(cursor, false)
      if (this.#isColon()) return this.#map(this.#keyIndent(mayBegin, indent), {}, this.#scalar(at, first, true, own))
      return this.#scalar(start, plainRest(cursor, first, parentIndent, false), true, own)
    }
    const node = this.#flowNode(own)
    node.at = start
    if (!this.#isColon()) return node
    if (cursor.lineStart !== lineStart) cursor.fail("mapping values are not allowed in this context")
    return this.#map(this.#keyIndent(mayBegin, indent), {}, node)
  }

  #keyIndent(mayBegin: boolean, indent: number): number {
    if (!mayBegin) this.#cursor.fail("mapping values are not allowed in this context")
    return indent
  }

  /** Moves to the colon behind a key, if there is one on this line. */
  #isColon(): boolean {
    const cursor = this.#cursor
    const before = cursor.pos
    cursor.skipSpaces()
    if (cursor.code() === COLON && cursor.isBlank(1)) return true
    cursor.pos = before
    return false
  }

  /** All pairs at one column; `first`: a key that was read, the colon is next. */
  #map(indent: number, properties: Properties, first: YamlNode | undefined): YamlNode {
    const cursor = this.#cursor
    const node: YamlMap = { kind: "map", at: first?.at ?? cursor.pos, pairs: [] }
    this.#made(node, properties)
    let key = first
    do {
      node.pairs.push(this.#pair(indent, key))
      key = undefined
      cursor.skip()
      if (cursor.isEnd || cursor.isMarker() || (cursor.isFirstOfLine && cursor.column < indent)) return node
      if (!cursor.isFirstOfLine || cursor.column > indent) cursor.fail("did not find expected key")
    } while (!(cursor.code() === DASH && cursor.isBlank(1)))
    return cursor.fail("did not find expected key")
  }

  #pair(indent: number, known: YamlNode | undefined): { key: YamlNode; value: YamlNode } {
    const cursor = this.#cursor
    if (known === undefined && cursor.code() === QUESTION && cursor.isBlank(1)) return this.#explicitPair(indent)
    const key = known ?? this.#key()
    cursor.pos++
    return { key, value: this.#block(indent, false, indent) }
  }

  #explicitPair(indent: number): { key: YamlNode; value: YamlNode } {
    const cursor = this.#cursor
    cursor.pos++
    const key = this.#block(indent, true, indent + 1)
    cursor.skip()
    if (!(cursor.isFirstOfLine && cursor.column === indent && cursor.code() === COLON && cursor.isBlank(1)))
      return { key, value: this.#empty(cursor.pos, {}) }
    cursor.pos++
    return { key, value: this.#block(indent, true, indent + 1) }
  }

  /** A key on one line, up to its colon. */
  #key(): YamlNode {
    const cursor = this.#cursor
    const { pos: at, lineStart } = cursor
    const properties = this.#properties()
    cursor.skipSpaces()
    const key = beginsPlain(cursor, false)
      ? this.#scalar(at, plainLine(cursor, false), true, properties)
      : cursor.code() === COLON && cursor.isBlank(1)
        ? this.#empty(at, properties)
        : this.#flowNode(properties)
    if (!this.#isColon() || cursor.lineStart !== lineStart) cursor.fail("could not find expected ':'", at)
    return key
  }

  #list(indent: number, properties: Properties, isParentsColumn: boolean): YamlNode {
    const cursor = this.#cursor
    const items: YamlNode[] = []
    const node = this.#made({ kind: "list", at: cursor.pos, items }, properties)
    do {
      cursor.pos++
      items.push(this.#block(indent, true, indent + 1))
      cursor.skip()
      if (cursor.isEnd || cursor.isMarker() || (cursor.isFirstOfLine && cursor.column < indent)) return node
      if (!cursor.isFirstOfLine || cursor.column > indent) cursor.fail("did not find expected '-' indicator")
    } while (cursor.code() === DASH && cursor.isBlank(1))
    if (!isParentsColumn) cursor.fail("did not find expected '-' indicator")
    return node
  }

  /** `[…]`, `{…}`, a quoted scalar, an alias; inside of brackets plain scalars too. */
  #flowNode(given?: Properties): YamlNode {
    const cursor = this.#cursor
    const at = cursor.pos
    const properties = given ?? this.#properties()
    if (given === undefined) cursor.skip(true)
    const code = cursor.code()
    if (code === OPEN_LIST || code === OPEN_MAP) {
      this.#enter()
      const node = code === OPEN_LIST ? this.#flowList(properties) : this.#flowMap(properties)
      this.#depth--
      return node
    }
    if (code === QUOTE || code === APOSTROPHE) return this.#scalar(at, quoted(cursor), false, properties)
    if (code === STAR) return this.#alias()
    const hasProperties = properties.anchor !== undefined || properties.tag !== undefined
    if (given === undefined) {
      if (beginsPlain(cursor, true))
        return this.#scalar(at, plainRest(cursor, plainLine(cursor, true), -1, true), true, properties)
      if (hasProperties && (isFlowMark(code) || code === COLON)) return this.#empty(at, properties)
      if (code === COMMA || code === CLOSE_LIST || code === CLOSE_MAP || code === DASH || cursor.isEnd)
        cursor.fail("did not find expected node content")
    } else if (hasProperties && code === COLON) return this.#empty(at, properties)
    if (isFlowMark(code)) cursor.fail("did not find expected node content")
    return cursor.fail("found character that cannot start any token")
  }

  #flowList(properties: Properties): YamlNode {
    const cursor = this.#cursor
    const items: YamlNode[] = []
    const node = this.#made({ kind: "list", at: cursor.pos, items }, properties)
    cursor.pos++
    for (;;) {
      cursor.skip(true)
      if (cursor.code() === CLOSE_LIST) break
      const { pos: at } = cursor
      const isExplicit = this.#explicitMark()
      const item = cursor.code() === COLON && !beginsPlain(cursor, true) ? this.#empty(at, {}) : this.#flowNode()
      cursor.skip(true)
      items.push(
        isExplicit || cursor.code() === COLON
          ? this.#made({ kind: "map", at, pairs: [{ key: item, value: this.#flowValue() }] }, {})
          : item,
      )
      if (!this.#comma(CLOSE_LIST)) cursor.fail("did not find expected ',' or ']'")
    }
    cursor.pos++
    return node
  }

  #flowMap(properties: Properties): YamlNode {
    const cursor = this.#cursor
    const node: YamlMap = { kind: "map", at: cursor.pos, pairs: [] }
    this.#made(node, properties)
    cursor.pos++
    for (;;) {
      cursor.skip(true)
      if (cursor.code() === CLOSE_MAP) break
      const { pos: at } = cursor
      this.#explicitMark()
      const key = cursor.code() === COLON && !beginsPlain(cursor, true) ? this.#empty(at, {}) : this.#flowNode()
      node.pairs.push({ key, value: this.#flowValue() })
      if (!this.#comma(CLOSE_MAP)) cursor.fail("did not find expected ',' or '}'")
    }
    cursor.pos++
    return node
  }

  #explicitMark(): boolean {
    const cursor = this.#cursor
    if (cursor.code() !== QUESTION || !cursor.isBlank(1)) return false
    cursor.pos++
    cursor.skip(true)
    return true
  }

  /** `: value`, or nothing. */
  #flowValue(): YamlNode {
    const cursor = this.#cursor
    cursor.skip(true)
    if (cursor.code() !== COLON) return this.#empty(cursor.pos, {})
    cursor.pos++
    cursor.skip(true)
    const code = cursor.code()
    if (code === COMMA || code === CLOSE_MAP || code === CLOSE_LIST) return this.#empty(cursor.pos, {})
    return this.#flowNode()
  }

  /** Past a comma; false where neither that nor the end is next. */
  #comma(close: number): boolean {
    const cursor = this.#cursor
    cursor.skip(true)
    if (cursor.code() === close) return true
    if (cursor.code() !== COMMA) return false
    cursor.pos++
    return true
  }

  #properties(): Properties {
    const cursor = this.#cursor
    const properties: Properties = {}
    for (;;) {
      const code = cursor.code()
      if (code === AMPERSAND && properties.anchor === undefined) {
        cursor.pos++
        properties.anchor = cursor.match(NAME) ?? cursor.fail("did not find expected alphabetic or numeric character")
      } else if (code === BANG && properties.tag === undefined) properties.tag = cursor.match(TAG) ?? "!"
      else return properties
      const before = cursor.pos
      cursor.skipSpaces()
      if (cursor.code() !== AMPERSAND && cursor.code() !== BANG) {
        if (cursor.isEnd || cursor.code() === 10 || cursor.code() === 35) cursor.pos = before
        return properties
      }
    }
  }

  #alias(): YamlNode {
    const cursor = this.#cursor
    const at = cursor.pos++
    const name = cursor.match(NAME) ?? cursor.fail("did not find expected alphabetic or numeric character", at)
    const target = this.#anchors.get(name) ?? cursor.fail(`unknown anchor '${name}' referenced`, at)
    return this.#made({ kind: "alias", at, name, target }, {})
  }

  #scalar(at: number, text: string, isPlain: boolean, properties: Properties): YamlNode {
    return this.#made({ kind: "scalar", at, text, isPlain }, properties)
  }

  #empty(at: number, properties: Properties): YamlNode {
    return this.#scalar(at, "", true, properties)
  }

  /** Known by its anchor before what it holds is read, so that it may hold itself: who expands it refuses that. */
  #made(node: YamlNode, { anchor, tag }: Properties): YamlNode {
    if (++this.#nodes > MAX_NODES) this.#cursor.fail(`more than ${MAX_NODES} values`)
    if (tag !== undefined) node.tag = tag
    if (anchor !== undefined) this.#anchors.set(anchor, node)
    return node
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) this.#cursor.fail(`nested more than ${MAX_DEPTH} levels deep`)
  }
}

function isAbsent(node: YamlNode): boolean {
  return node.kind === "scalar" && node.isPlain && node.text === "" && node.tag === undefined
}
