/** Elements of nftables sets and maps, without a process (nfnetlink; include/uapi/linux/netfilter/nf_tables.h). */
import {
  attribute,
  concatBytes,
  nested,
  parseAttributes,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  textAttribute,
  type NetlinkMessage,
  type NetlinkSocket,
} from "./netlink.ts"

const NFNL_SUBSYS_NFTABLES = 10
const NFNL_MSG_BATCH_BEGIN = 16
const NFNL_MSG_BATCH_END = 17
const NFT_MSG_GETTABLE = 1
const NFT_MSG_DELTABLE = 2
const NFT_MSG_NEWSETELEM = 12
const NFT_MSG_GETSETELEM = 13
const NFT_MSG_DELSETELEM = 14
const NFPROTO_INET = 1
const NFPROTO_BRIDGE = 7
const NFTA_TABLE_NAME = 1
const NFTA_SET_ELEM_LIST_TABLE = 1
const NFTA_SET_ELEM_LIST_SET = 2
const NFTA_SET_ELEM_LIST_ELEMENTS = 3
const NFTA_LIST_ELEM = 1
const NFTA_SET_ELEM_KEY = 1
const NFTA_SET_ELEM_DATA = 2
const NFTA_SET_ELEM_FLAGS = 3
const NFTA_SET_ELEM_TIMEOUT = 4
const NFTA_SET_ELEM_KEY_END = 10
const NFTA_DATA_VALUE = 1
const NFTA_DATA_VERDICT = 2
const NFTA_VERDICT_CODE = 1
const NFTA_VERDICT_CHAIN = 2
const NFT_SET_ELEM_INTERVAL_END = 1
const NLA_TYPE_MASK = 0x3fff
/** enum nft_verdicts, as 32 bits. */
const VERDICT_CODES = { jump: 0xfffffffd, goto: 0xfffffffc } as const

/** An attribute holds 64 KiB, some 1,500 elements of ours; half of that leaves room for longer keys. */
const ELEMENTS_PER_MESSAGE = 500

/** An element of an nftables set or map, its key and value as the kernel has them. */
export interface SetElement {
  key: Uint8Array
  /** A map's value. */
  data?: Uint8Array
  /** A map's value that is a chain: it is gone to, or called (`jump`). */
  verdict?: Verdict
  /** The last of a range, in a set of concatenated intervals. */
  keyEnd?: Uint8Array | undefined
  /** The first that is no longer of the range before it, in a set of ranges of one field. */
  isEnd?: boolean
  /** It goes by itself after so long. */
  timeoutMs?: number
}

/** What a packet does next. */
export interface Verdict {
  kind: "goto" | "jump"
  chain: string
}

/** `inet`: what is routed; `bridge`: what goes from port to port of a bridge. */
export type NftFamily = "inet" | "bridge"

const FAMILY_NUMBERS: Record<NftFamily, number> = { inet: NFPROTO_INET, bridge: NFPROTO_BRIDGE }

/** One change; those of a batch happen together or not at all. */
export interface ElementChange {
  action: "add" | "delete"
  family: NftFamily
  table: string
  set: string
  elements: readonly SetElement[]
}

/** Does all changes in one transaction. Throws ENOENT (no such table, set or element to delete), EEXIST. */
export function changeElements(socket: NetlinkSocket, changes: readonly ElementChange[]): void {
  const messages = changes.flatMap((change) =>
    chunks(change.elements).map((elements) => changeMessage(change, elements)),
  )
  if (messages.length > 0) transact(socket, messages)
}

/** Whether the table is there. */
export function hasTable(socket: NetlinkSocket, family: NftFamily, table: string): boolean {
  const type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE
  const body = concatBytes([nfgenHeader(FAMILY_NUMBERS[family], 0), textAttribute(NFTA_TABLE_NAME, table)])
  try {
    return socket.request([{ type, flags: NLM_F_ACK, body, about: `find nftables table "${table}"` }]).length > 0
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return false
    throw error
  }
}

/** Deletes a table with all in it. Throws ENOENT. */
export function deleteTable(socket: NetlinkSocket, family: NftFamily, table: string): void {
  const type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_DELTABLE
  const body = concatBytes([nfgenHeader(FAMILY_NUMBERS[family], 0), textAttribute(NFTA_TABLE_NAME, table)])
  transact(socket, [{ type, flags: NLM_F_ACK, body, about: `delete nftables table "${table}"` }])
}

function transact(socket: NetlinkSocket, messages: readonly NetlinkMessage[]): void {
  const body = nfgenHeader(0, NFNL_SUBSYS_NFTABLES)
  socket.request([
    { type: NFNL_MSG_BATCH_BEGIN, flags: 0, body, about: "begin nftables batch" },
    ...messages,
    { type: NFNL_MSG_BATCH_END, flags: 0, body, about: "end nftables batch" },
  ])
}

/** Whether the element is there; false too when its table or set is not. */
export function hasElement(
  socket: NetlinkSocket,
  { family, table, set, key }: { family: NftFamily; table: string; set: string; key: Uint8Array },
): boolean {
  const body = elementsBody(family, table, set, [{ key }])
  const type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETSETELEM
  try {
    return socket.request([{ type, flags: NLM_F_ACK, body, about: `look into set "${set}"` }]).length > 0
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return false
    throw error
  }
}

function changeMessage({ action, family, table, set }: ElementChange, elements: readonly SetElement[]): NetlinkMessage {
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | (action === "add" ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM),
    flags: action === "add" ? NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL : NLM_F_ACK,
    body: elementsBody(family, table, set, elements),
    about: `${action} elements of nftables set "${set}" in table "${table}"`,
  }
}

function elementsBody(family: NftFamily, table: string, set: string, elements: readonly SetElement[]): Uint8Array {
  const list = elements.map(({ key, keyEnd, data, verdict, isEnd, timeoutMs }) =>
    nested(
      NFTA_LIST_ELEM,
      nested(NFTA_SET_ELEM_KEY, attribute(NFTA_DATA_VALUE, key)),
      ...(keyEnd === undefined ? [] : [nested(NFTA_SET_ELEM_KEY_END, attribute(NFTA_DATA_VALUE, keyEnd))]),
      ...(data === undefined ? [] : [nested(NFTA_SET_ELEM_DATA, attribute(NFTA_DATA_VALUE, data))]),
      ...(verdict === undefined ? [] : [nested(NFTA_SET_ELEM_DATA, verdictData(verdict))]),
      ...(isEnd === true ? [attribute(NFTA_SET_ELEM_FLAGS, bigEndian(NFT_SET_ELEM_INTERVAL_END, 4))] : []),
      ...(timeoutMs === undefined ? [] : [attribute(NFTA_SET_ELEM_TIMEOUT, bigEndian(timeoutMs, 8))]),
    ),
  )
  return concatBytes([
    nfgenHeader(FAMILY_NUMBERS[family], 0),
    textAttribute(NFTA_SET_ELEM_LIST_TABLE, table),
    textAttribute(NFTA_SET_ELEM_LIST_SET, set),
    nested(NFTA_SET_ELEM_LIST_ELEMENTS, ...list),
  ])
}

function verdictData({ kind, chain }: Verdict): Uint8Array {
  const code = attribute(NFTA_VERDICT_CODE, bigEndian(VERDICT_CODES[kind], 4))
  return nested(NFTA_DATA_VERDICT, code, textAttribute(NFTA_VERDICT_CHAIN, chain))
}

/** All elements of a set or a map, in no order. Throws ENOENT. */
export function listElements(
  socket: NetlinkSocket,
  { family, table, set }: Pick<ElementChange, "family" | "table" | "set">,
): SetElement[] {
  const body = concatBytes([
    nfgenHeader(FAMILY_NUMBERS[family], 0),
    textAttribute(NFTA_SET_ELEM_LIST_TABLE, table),
    textAttribute(NFTA_SET_ELEM_LIST_SET, set),
  ])
  const type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETSETELEM
  const answers = socket.request([{ type, flags: NLM_F_DUMP, body, about: `list the elements of set "${set}"` }])
  return answers.flatMap((answer) => {
    const list = parseAttributes(answer.body.subarray(4)).get(NFTA_SET_ELEM_LIST_ELEMENTS)
    return list === undefined ? [] : [...items(list)].map(parseElement)
  })
}

/** The payloads of attributes of one type that come one after the other. */
function* items(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = view.getUint16(at, true)
    if (length < 4) return
    if ((view.getUint16(at + 2, true) & NLA_TYPE_MASK) === NFTA_LIST_ELEM) yield bytes.subarray(at + 4, at + length)
    at += (length + 3) & ~3
  }
}

function parseElement(bytes: Uint8Array): SetElement {
  const found = parseAttributes(bytes)
  const value = (type: number): Map<number, Uint8Array> => parseAttributes(found.get(type) ?? new Uint8Array())
  const data = value(NFTA_SET_ELEM_DATA)
  const [plain, verdict] = [data.get(NFTA_DATA_VALUE), data.get(NFTA_DATA_VERDICT)]
  const keyEnd = value(NFTA_SET_ELEM_KEY_END).get(NFTA_DATA_VALUE)
  const [flags = 0] = found.get(NFTA_SET_ELEM_FLAGS)?.subarray(3) ?? []
  return {
    key: value(NFTA_SET_ELEM_KEY).get(NFTA_DATA_VALUE) ?? new Uint8Array(),
    ...(plain !== undefined && { data: plain }),
    ...(verdict !== undefined && { verdict: parseVerdict(verdict) }),
    ...(keyEnd !== undefined && { keyEnd }),
    ...((flags & NFT_SET_ELEM_INTERVAL_END) !== 0 && { isEnd: true }),
  }
}

function parseVerdict(bytes: Uint8Array): Verdict {
  const found = parseAttributes(bytes)
  const [low = 0] = found.get(NFTA_VERDICT_CODE)?.subarray(3) ?? []
  const chain = Buffer.from(found.get(NFTA_VERDICT_CHAIN) ?? new Uint8Array())
    .toString()
    .replace(/\0+$/, "")
  return { kind: low === (VERDICT_CODES.jump & 0xff) ? "jump" : "goto", chain }
}

function bigEndian(value: number, size: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(size - 4, value % 2 ** 32)
  if (size === 8) new DataView(bytes.buffer).setUint32(0, Math.floor(value / 2 ** 32))
  return bytes
}

/** struct nfgenmsg; the resource id is in network byte order. */
function nfgenHeader(family: number, resource: number): Uint8Array {
  return new Uint8Array([family, 0, resource >> 8, resource & 255])
}

function chunks(elements: readonly SetElement[]): SetElement[][] {
  return Array.from({ length: Math.ceil(elements.length / ELEMENTS_PER_MESSAGE) }, (_, index) =>
    elements.slice(index * ELEMENTS_PER_MESSAGE, (index + 1) * ELEMENTS_PER_MESSAGE),
  )
}
