import { FailedPrecondition, hasErrno, InvalidArgument } from "../base/errors.ts"
import { formatSize } from "../base/sizes.ts"
import { setMode, setModeAt, setOwner, setOwnerAt, setTimes, setTimesAt, type Time } from "../sys/fs/attributes.ts"
import { openRawInRoot, openRoot } from "../sys/fs/confined.ts"
import { deviceNumber } from "../sys/fs/device-numbers.ts"
import { statAt } from "../sys/fs/directory.ts"
import { close, lastErrno, libc, O_CLOEXEC, O_DIRECTORY, OPEN_DIRECTORY } from "../sys/libc.ts"
import { checkNamed, rawCString, shownName } from "../sys/fs/raw-name.ts"
import { isOfKernel } from "../sys/fs/kernel-files.ts"
import { removeAt } from "../sys/fs/remove-tree.ts"
import { pathAt, setAttribute, setAttributeOf } from "../sys/fs/xattr.ts"
import { DirectoryCache, isWhiteoutAt } from "./directory-cache.ts"
import { isLayerAttribute } from "./same-file.ts"
import type { TarSplitWriter } from "./tar-split.ts"
import { parseLayerName, parseLayerPath, type LayerPath } from "./layer-path.ts"
import type { TarEntry, TarSink } from "./tar-entry.ts"

const O_WRONLY = 1
const O_CREAT = 0o100
const O_EXCL = 0o200
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
const S_IFIFO = 0o010000
const S_IFCHR = 0o020000
const S_IFBLK = 0o060000
const EEXIST = 17
const MAX_ID = 2 ** 32 - 2 // 2^32 - 1 means "leave it" to chown(2)

/** What is made in a directory gets it (acl(5)): it is set when all is there. */
const DEFAULT_ACCESS = "system.posix_acl_default"

/** How much is extracted at most. */
export interface ExtractorLimits {
  /** Of all files together, holes counted. */
  totalBytes: number
  entries: number
}

/** How files are made. */
export interface ExtractorOptions {
  rootless: boolean
  limits: ExtractorLimits
  /**
   * An archive that is no layer but files to add, as BuildKit adds them: names with `.wh.` are names of files, `..` may lead
   * anywhere inside, FIFOs and what the archive says of its root are passed over.
   */
  plain?: boolean
  /** Of a plain archive: the raw path of the directory that its names start from. Links on the way are followed inside the root. */
  below?: string
  /** Of a plain archive that is put beside files of somebody's: a directory takes no other file's place, nor a file a directory's. */
  keepsKinds?: boolean
  /**
   * A tree as somebody packed it, into an empty directory: no name is a whiteout; FIFOs and, as `devices` says, devices are made; every
   * attribute is kept or it is an error. Refused by name: what leads outside, lies below a link, or comes twice.
   */
  exact?: { devices: boolean }
  /** Of all entries, in place of their own. */
  owner?: { uid: number; gid: number }
  /** Receives what is needed besides the files to make the archive again. */
  split?: TarSplitWriter
}

/** A file being written. */
interface OpenFile {
  fd: number
  entry: TarEntry
}

/**
 * Makes the files of a layer below one directory, as image-spec layer.md says. Every call goes by a descriptor of the parent
 * directory, which openat2 found inside the root, and a last name that is not followed.
 */
export class LayerExtractor implements TarSink, Disposable {
  /** Content of all files so far. */
  sizeBytes = 0
  entries = 0
  readonly #root: number
  readonly #directories: DirectoryCache
  readonly #options: ExtractorOptions
  readonly #opaqueName: string
  /** Set at the end: making a file inside changes a directory's time, and a set-group-id bit the owner of what is made. */
  readonly #directoryEntries = new Map<string, { mode: number; mtime: Time; defaultAccess?: Uint8Array | undefined }>()
  /** Raw paths of links that an exact archive has made. */
  readonly #links = new Set<string>()
  #file: OpenFile | undefined
  /** A file whose data follow the header that is being read. */
  #announced: { path: LayerPath; sizeBytes: number } | undefined
  #isSplit: boolean

  constructor(target: string, options: ExtractorOptions) {
    this.#root = openRoot(target)
    this.#opaqueName = `${options.rootless ? "user" : "trusted"}.overlay.opaque`
    this.#directories = new DirectoryCache(this.#root, (fd, name) => this.#setOpaque(fd, name))
    this.#options = options
    this.#isSplit = options.split !== undefined
  }

  /** Whether the files and what `split` was told give the archive again: each file's data are in the file of that name. */
  get isSplit(): boolean {
    return this.#isSplit
  }

  entry(entry: TarEntry): void {
    this.#count(entry)
    this.#directories.trim()
    if (entry.isSparse) this.#isSplit = false
    this.#announced = undefined
    if (this.#options.exact !== undefined) return this.#makeExact(entry)
    if (this.#options.plain) return this.#addFile(entry)
    const name = parseLayerName(entry.name)
    if (name.kind === "file") this.#make(entry, name.path)
    else if (name.kind === "whiteout") this.#makeWhiteout(name.path)
    else if (name.kind === "opaque") this.#setOpaque(this.#directories.open(name.directory), ".")
  }

  #makeExact(entry: TarEntry): void {
    const path = this.#exactPath(entry.name)
    if (entry.type === "hardlink") this.#exactPath(entry.linkName)
    if (entry.type === "character" || entry.type === "block") return this.#makeDevice(entry, path)
    this.#make(entry, path)
    if (entry.type === "symlink") this.#links.add(path.directory === "" ? path.name : `${path.directory}/${path.name}`)
  }

  #exactPath(name: string): LayerPath {
    if (name.startsWith("/"))
      throw new InvalidArgument(`the archive has the name ${shownName(name)}, which leads outside`)
    const path = parseLayerPath(name)
    if (this.#links.size === 0) return path
    for (let cut = path.directory.length; cut > 0; cut = path.directory.lastIndexOf("/", cut - 1))
      if (this.#links.has(path.directory.slice(0, cut)))
        throw new InvalidArgument(`the archive has ${shownName(name)} below a link`, {
          hint: "the archive is broken or hostile",
        })
    return path
  }

  #makeDevice(entry: TarEntry, path: LayerPath): void {
    const { type, device } = entry
    const isWhiteout = type === "character" && device.major === 0 && device.minor === 0
    if (!isWhiteout && this.#options.exact?.devices !== true)
      throw new FailedPrecondition(
        `${shownName(entry.name)} in the archive is a device, which an ordinary user may not make`,
      )
    const parent = this.#directories.open(path.directory)
    const format = type === "block" ? S_IFBLK : S_IFCHR
    this.#create(path, () => libc.mknodat(parent, rawCString(path.name), format | 0o600, deviceNumber(device)))
    this.#setAttributesAt(entry, parent, path.name)
    setModeAt(parent, path.name, entry.mode)
    setTimesAt(parent, path.name, entry.mtime)
  }

  #addFile(entry: TarEntry): void {
    const path = this.#plainPath(entry.name)
    if (path === undefined || (entry.type === "fifo" && !this.#options.keepsKinds)) return
    if (entry.type !== "hardlink") return this.#make(entry, path)
    const { directory, name } = this.#plainPath(entry.linkName) ?? path
    this.#make({ ...entry, linkName: directory === "" ? name : `${directory}/${name}` }, path)
  }

  /** Undefined for the directory that the archive is put into: it is as it is. */
  #plainPath(text: string): LayerPath | undefined {
    const { directory, name } = parseLayerPath(withoutParents(text))
    if (name === "") return undefined
    const { below = "" } = this.#options
    return { directory: directory === "" || below === "" ? `${below}${directory}` : `${below}/${directory}`, name }
  }

  raw(bytes: Uint8Array): void {
    if (!this.#isSplit) return
    const { split } = this.#options
    split?.raw(bytes)
    const file = this.#announced
    if (file === undefined) return
    this.#announced = undefined
    const { directory, name } = file.path
    split?.file(directory === "" ? name : `${directory}/${name}`, file.sizeBytes)
  }

  data(bytes: Uint8Array, offset: number): void {
    const file = this.#file
    // the data of a whiteout, of aufs's own files: they go nowhere
    if (file === undefined) return void (this.#isSplit = false)
    for (let done = 0; done < bytes.length;) {
      const part = done === 0 ? bytes : bytes.subarray(done)
      const result = file.entry.isSparse
        ? libc.pwrite(file.fd, part, part.length, offset + done)
        : libc.write(file.fd, part, part.length)
      done += Number(result) > 0 ? Number(result) : checkNamed(result, "write", file.entry.name)
    }
  }

  end(): void {
    const file = this.#file
    if (file === undefined) return
    this.#file = undefined
    const { fd, entry } = file
    try {
      if (entry.isSparse) checkNamed(libc.ftruncate(fd, entry.sizeBytes), "truncate", entry.name)
      // in this order: a change of owner clears set-id bits, and both clear capabilities
      this.#withOwner(entry, (uid, gid) => setOwner(fd, uid, gid))
      setMode(fd, entry.mode)
      for (const [name, value] of kept(entry.attributes))
        this.#orUnsupported(entry.name, name, () => setAttributeOf(fd, name, value))
      setTimes(fd, entry.mtime)
    } finally {
      close(fd)
    }
  }

  /** After the last entry: modes and times of directories. May pause wherever it yields. */
  *finish(): Generator<void, void> {
    for (const [path, { mode, mtime, defaultAccess }] of this.#directoryEntries) {
      yield
      this.#directories.trim()
      const fd = this.#openMade(path)
      if (fd === undefined) continue
      try {
        setMode(fd, mode)
        if (defaultAccess !== undefined)
          this.#orUnsupported(path, DEFAULT_ACCESS, () => setAttributeOf(fd, DEFAULT_ACCESS, defaultAccess))
        setTimes(fd, mtime)
      } finally {
        close(fd)
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) close(this.#file.fd)
    this.#directories[Symbol.dispose]()
    close(this.#root)
  }

  #count(entry: TarEntry): void {
    const { limits } = this.#options
    this.entries++
    this.sizeBytes += entry.sizeBytes
    if (this.entries > limits.entries)
      throw new InvalidArgument(`the layer has more than ${limits.entries} files`, { hint: "it looks like an attack" })
    if (this.sizeBytes > limits.totalBytes)
      throw new InvalidArgument(`the files of the layer have more than ${formatSize(limits.totalBytes)}`, {
        hint: "it looks like an attack on the disk",
      })
  }

  #make(entry: TarEntry, path: LayerPath): void {
    if (path.name === "") return this.#makeRoot(entry)
    // a device node would open the host's hardware to whoever gets at it; /dev of a container is made at its start
    if (entry.type === "character" || entry.type === "block") return
    const parent = this.#directories.open(path.directory)
    if (this.#options.keepsKinds) refuseChange(entry, parent, path)
    switch (entry.type) {
      case "directory":
        return this.#makeDirectory(entry, parent, path)
      case "file":
        return this.#makeFile(entry, parent, path)
      case "hardlink":
        return this.#makeLink(entry, parent, path)
      case "symlink":
        this.#create(path, () => libc.symlinkat(rawCString(entry.linkName, 0), parent, rawCString(path.name, 1)))
        return this.#setAttributesAt(entry, parent, path.name)
      case "fifo":
        this.#create(path, () => libc.mknodat(parent, rawCString(path.name), S_IFIFO | 0o600, 0))
        this.#setAttributesAt(entry, parent, path.name)
        setModeAt(parent, path.name, entry.mode)
        return setTimesAt(parent, path.name, entry.mtime)
    }
  }

  #makeRoot(entry: TarEntry): void {
    if (entry.type !== "directory")
      throw new InvalidArgument(
        `the layer has the entry ${shownName(entry.name)}, which is not a directory, for its root`,
      )
    this.#describeDirectory(entry, this.#root, ".", "")
  }

  #makeDirectory(entry: TarEntry, parent: number, { directory, name }: LayerPath): void {
    const made = libc.mkdirat(parent, rawCString(name), 0o700)
    if (made < 0) {
      if (lastErrno() !== EEXIST) checkNamed(made, "mkdir", entry.name)
      if (statAt(parent, name)?.type !== "directory") this.#replaceByDirectory(parent, name)
    }
    this.#describeDirectory(entry, parent, name, directory === "" ? name : `${directory}/${name}`)
  }

  #replaceByDirectory(parent: number, name: string): void {
    const hidesLower = isWhiteoutAt(parent, name)
    this.#remove(parent, name)
    checkNamed(libc.mkdirat(parent, rawCString(name), 0o700), "mkdir", name)
    // image-spec layer.md#whiteouts: they hide what is below, not what this layer has itself
    if (hidesLower) this.#setOpaque(parent, name)
  }

  #describeDirectory(entry: TarEntry, parent: number, name: string, path: string): void {
    this.#withOwner(entry, (uid, gid) => setOwnerAt(parent, name, uid, gid))
    this.#setExtended(entry, parent, name)
    const { mode, mtime, attributes } = entry
    this.#directoryEntries.set(path, { mode, mtime, defaultAccess: attributes.get(DEFAULT_ACCESS) })
  }

  #makeFile(entry: TarEntry, parent: number, path: LayerPath): void {
    const fd = this.#create(path, () => libc.openat(parent, rawCString(path.name), CREATE, 0o600))
    this.#file = { fd, entry }
    if (entry.sizeBytes > 0) this.#announced = { path, sizeBytes: entry.sizeBytes }
  }

  #makeLink(entry: TarEntry, parent: number, path: LayerPath): void {
    const target = parseLayerPath(entry.linkName)
    const from = this.#directories.find(target.directory)
    const stat = from === undefined || target.name === "" ? undefined : statAt(from, target.name)
    if (from === undefined || stat === undefined || stat.type === "directory" || stat.type === "character")
      throw new InvalidArgument(
        `the layer links ${shownName(entry.name)} to ${shownName(entry.linkName)}, which is no file of this layer`,
      )
    // a link to itself: removing the old name would lose the file
    if (statAt(parent, path.name)?.identity === stat.identity) return
    this.#create(path, () => libc.linkat(from, rawCString(target.name, 0), parent, rawCString(path.name, 1), 0))
  }

  #makeWhiteout({ directory, name }: LayerPath): void {
    const parent = this.#directories.open(directory)
    const made = libc.mknodat(parent, rawCString(name), S_IFCHR | 0, 0)
    if (made === 0) return
    if (lastErrno() !== EEXIST) checkNamed(made, "mknod", name)
    // the layer has that name itself: a file hides the lower one as it is, a directory must say so
    if (statAt(parent, name)?.type === "directory") this.#setOpaque(parent, name)
  }

  /** Runs a call that makes `path`; what this layer had there before makes way (layer.md#changeset-over-existing-files). */
  #create({ directory, name }: LayerPath, call: () => number): number {
    const result = call()
    if (result >= 0) return result
    if (lastErrno() !== EEXIST) return checkNamed(result, "create", name)
    if (this.#options.exact !== undefined)
      throw new InvalidArgument(`the archive has ${shownName(directory === "" ? name : `${directory}/${name}`)} twice`)
    this.#remove(this.#directories.open(directory), name)
    return checkNamed(call(), "create", name)
  }

  #remove(parent: number, name: string): void {
    const type = statAt(parent, name)?.type
    // what it held is in the archive, or led to what is
    if (type !== "character" && type !== "fifo") this.#isSplit = false
    removeAt(parent, name, name)
    // descriptors of directories may have been reached through it
    if (type === "directory" || type === "symlink") this.#directories.clear()
  }

  #setAttributesAt(entry: TarEntry, parent: number, name: string): void {
    this.#withOwner(entry, (uid, gid) => setOwnerAt(parent, name, uid, gid))
    this.#setExtended(entry, parent, name)
    setTimesAt(parent, name, entry.mtime)
  }

  #setExtended(entry: TarEntry, parent: number, name: string): void {
    for (const [key, value] of kept(entry.attributes).filter(([one]) => one !== DEFAULT_ACCESS))
      this.#orUnsupported(entry.name, key, () => setAttribute(pathAt(parent, name), key, value))
  }

  /** Sets an attribute where file and file system can have it, as other engines do. */
  #orUnsupported(file: string, attribute: string, set: () => void): void {
    try {
      set()
    } catch (error) {
      if (!hasErrno(error, "EOPNOTSUPP", "EPERM")) throw error
      if (this.#options.exact === undefined) return
      throw new FailedPrecondition(`${shownName(file)} cannot have its attribute "${attribute}" here`, {
        cause: error,
      })
    }
  }

  #setOpaque(parent: number, name: string): void {
    setAttribute(pathAt(parent, name), this.#opaqueName, OPAQUE_VALUE)
  }

  #withOwner(entry: TarEntry, set: (uid: number, gid: number) => void): void {
    const { name } = entry
    const { uid, gid } = this.#options.owner ?? entry
    if (uid < 0 || uid > MAX_ID || gid < 0 || gid > MAX_ID)
      throw new InvalidArgument(`${shownName(name)} in the layer has the owner ${uid}:${gid}, beyond 32 bits`)
    try {
      set(uid, gid)
    } catch (error) {
      if (hasErrno(error, "EPERM"))
        throw new FailedPrecondition(`${shownName(name)} in the layer cannot be given to ${uid}:${gid}: no CAP_CHOWN`, {
          hint: "give this container the default capabilities, or run it as an ordinary user with user namespaces allowed",
          cause: error,
        })
      // chown(2) answers EINVAL for an id that the user namespace does not map
      if (!hasErrno(error, "EINVAL")) throw error
      throw new FailedPrecondition(
        `${shownName(name)} in the layer belongs to ${uid}:${gid}, which is not one of your ids`,
        {
          hint: ["give yourself more in /etc/subuid and /etc/subgid (65,536 each)", { do: "diagnose" }],
          cause: error,
        },
      )
    }
  }

  /** A directory that an entry described, opened; undefined when a later entry put something else there. */
  #openMade(path: string): number | undefined {
    if (path === "") return openRawInRoot(this.#root, ".", O_DIRECTORY)
    const { directory, name } = parseLayerPath(path)
    const parent = this.#directories.find(directory)
    if (parent === undefined) return undefined
    const fd = libc.openat(parent, rawCString(name), OPEN_DIRECTORY, 0)
    return fd < 0 ? undefined : fd
  }
}

function refuseChange(entry: TarEntry, parent: number, { name }: LayerPath): void {
  const shown = shownName(entry.name)
  if (isOfKernel(parent)) throw new InvalidArgument(`${shown} would lie among the kernel's own files`)
  const there = statAt(parent, name)?.type
  if (there === undefined) return
  if (there === "character" || there === "block" || there === "socket")
    throw new FailedPrecondition(`cannot overwrite ${shown}, which is a ${there === "socket" ? there : "device"}`)
  if ((there === "directory") !== (entry.type === "directory"))
    throw new FailedPrecondition(
      there === "directory"
        ? `cannot overwrite directory ${shown} with non-directory`
        : `cannot overwrite non-directory ${shown} with directory`,
      { hint: "remove it first, or ask for it to be overwritten" },
    )
}

const OPAQUE_VALUE = Buffer.from("y")

/** `a/../b` is `b`; one that leads outside stays as it is, for who reads it to refuse. */
function withoutParents(name: string): string {
  const parts: string[] = []
  for (const part of name.split("/"))
    if (part !== ".." || parts.length === 0) {
      if (part !== "" && part !== ".") parts.push(part)
    } else if (parts.at(-1) === "..") parts.push(part)
    else parts.pop()
  return parts.join("/")
}

function kept(attributes: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return attributes.size === 0 ? NONE : [...attributes].filter(([name]) => isLayerAttribute(name))
}

const NONE: [string, Uint8Array][] = []
