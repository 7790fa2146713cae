import { shownPath, type FileTree, type TreeEntry } from "../../sbom/sbom.ts"
import { formatSize } from "../../base/sizes.ts"
import { finding, type Rule } from "./rule.ts"
import type { FileStat } from "../../sys/fs/directory.ts"
import type { Misconfiguration, Place } from "../scan.ts"

const RULES = {
  setid: {
    id: "CIS-4.8",
    title: "program runs with rights of its owner",
    severity: "low",
    resolution: "take the bit away in the Dockerfile: RUN chmod a-s FILE",
  },
  unusualSetid: {
    id: "CIS-4.8",
    title: "program runs with rights of its owner, and no distribution ships it so",
    severity: "medium",
    resolution: "take the bit away in the Dockerfile: RUN chmod a-s FILE",
  },
  oddSetid: {
    id: "CIS-4.8",
    title: "program runs with rights of its owner, and gives them away",
    severity: "high",
    resolution: "take the bit away in the Dockerfile: RUN chmod a-s FILE",
  },
  writable: {
    id: "SKF005",
    title: "anybody may change the file",
    severity: "medium",
    resolution: "take the right away in the Dockerfile: RUN chmod o-w FILE",
  },
  openDirectory: {
    id: "SKF006",
    title: "anybody may change what others have in the directory",
    severity: "medium",
    resolution: "set the sticky bit: RUN chmod +t DIRECTORY",
  },
  cache: {
    id: "SKF007",
    title: "package cache left in the image",
    severity: "low",
    resolution: "remove it in the RUN that makes it, or mount a cache there",
  },
  sshd: {
    id: "SKF008",
    aliases: ["CIS-5.7", "CIS-4.3"],
    title: "an SSH server is installed",
    severity: "medium",
    resolution: "leave it out: enter containers by exec",
  },
  sudo: {
    id: "SKF009",
    aliases: ["CIS-4.3"],
    title: "sudo is installed",
    severity: "medium",
    resolution: "leave it out: a container has the user that it needs",
  },
  tools: {
    id: "CIS-4.3",
    title: "programs that no service needs",
    severity: "low",
    resolution: "build in a stage of its own, and copy the result alone",
  },
  emptyPassword: {
    id: "SKF012",
    title: "account without a password",
    severity: "high",
    resolution: "lock it: RUN passwd -l NAME",
  },
  secondRoot: {
    id: "SKF013",
    title: "second account with user id 0",
    severity: "high",
    resolution: "give it an id of its own",
  },
} as const satisfies Record<string, Rule>

/** What distributions ship with such a bit: known, and of no use in most containers. */
const USUAL_SETID = new Set(
  (
    "su mount umount passwd chsh chfn gpasswd newgrp chage expiry unix_chkpwd pam_timestamp_check wall write ssh-agent crontab sudo " +
    "ssh-keysign dbus-daemon-launch-helper fusermount fusermount3 pkexec polkit-agent-helper-1 bbsuid newuidmap newgidmap utempter " +
    "pam_extrausers_chkpwd ping ping6 traceroute6.iputils unix2_chkpwd staprun userhelper locate mlocate plocate bsd-write at exim4"
  ).split(" "),
)
/** With whose help anybody becomes the owner (gtfobins). */
const GIVES_SHELL =
  /^(?:(?:ba|da|a|z|k|c|tc|fi)?sh|busybox|env|find|vim?(?:\..*)?|nano|less|more|man|awk|gawk|mawk|sed|perl[\d.]*|python[\d.]*|ruby[\d.]*|node|php[\d.]*|lua[\d.]*|tar|zip|cp|mv|dd|tee|cat|nmap|gdb|strace|docker|nsenter|chroot|xargs|make|git|rsync|socat|nc|curl|wget)$/
const CACHES = [
  "var/lib/apt/lists",
  "var/cache/apt",
  "var/cache/apk",
  "var/cache/yum",
  "var/cache/dnf",
  "var/cache/zypp",
  "root/.cache/pip",
  "root/.npm/_cacache",
  "root/.cache/yarn",
  "usr/local/share/.cache",
  "root/.composer/cache",
  "root/.m2/repository",
  "root/.gradle/caches",
  "root/.cargo/registry",
  "root/.cache/go-build",
]
/** Less than this is what an empty cache leaves. */
const LEAST_CACHE_BYTES = 64 * 1024
const BINARY_DIRECTORY = /^(?:usr\/(?:local\/)?)?s?bin\/[^/]+$/
const TOOLS = new Set(
  "gcc g++ cc make gdb strace tcpdump nmap telnet ftp tftp rsh rlogin socat netcat nc.openbsd nc.traditional hydra john".split(
    " ",
  ),
)
const MAX_ACCOUNT_BYTES = 1024 ** 2
/** Of one rule: more are as good as that many. */
const MAX_OF_ONE = 200

/** What the files of an image tell by their modes and names. `placeOf`: the layer of a path, where that is known. */
export function checkImageFiles(
  tree: FileTree,
  { placeOf = () => ({}), isSkipped = () => false, signal }: FileRuleOptions = {},
): Misconfiguration[] {
  const found: Misconfiguration[] = []
  const counts = new Map<Rule, number>()
  const add = (rule: Rule, message: string, path?: string) => {
    const count = (counts.get(rule) ?? 0) + 1
    counts.set(rule, count)
    if (count <= MAX_OF_ONE)
      found.push(finding(rule, "image", message, path === undefined ? {} : { path, ...placeOf(path) }))
  }
  const caches = new Map<string, number>()
  const tools: string[] = []
  for (const entry of tree.walk()) {
    signal?.throwIfAborted()
    if (isSkipped(entry.path)) continue
    const stat = entry.stat()
    if (stat === undefined) continue
    checkMode(entry, stat, add)
    if (stat.type === "file") {
      const cache = CACHES.find((directory) => entry.path.startsWith(`${directory}/`))
      if (cache !== undefined) caches.set(cache, (caches.get(cache) ?? 0) + stat.sizeBytes)
    }
    if (!BINARY_DIRECTORY.test(entry.path) || stat.type !== "file") continue
    if (entry.name === "sshd") add(RULES.sshd, "sshd is installed", shownPath(entry.path))
    else if (entry.name === "sudo") add(RULES.sudo, "sudo is installed", shownPath(entry.path))
    else if (TOOLS.has(entry.name.replace(/-\d+$/, "").replace(/^.*-linux-gnu-/, ""))) tools.push(entry.name)
  }
  for (const [directory, bytes] of caches)
    if (bytes >= LEAST_CACHE_BYTES) add(RULES.cache, `${formatSize(bytes)} of cache`, `/${directory}`)
  if (tools.length > 0) add(RULES.tools, `${tools.slice(0, 12).join(", ")} installed`)
  checkAccounts(tree, add)
  return found
}

/** What `checkImageFiles` may be told. */
export interface FileRuleOptions {
  placeOf?: (path: string) => Pick<Place, "layer">
  /** By path relative to the root. */
  isSkipped?: (path: string) => boolean
  signal?: AbortSignal | undefined
}

type Add = (rule: Rule, message: string, path?: string) => void

function checkMode({ path, name }: TreeEntry, { type, mode, uid, gid }: FileStat, add: Add): void {
  const shown = mode.toString(8).padStart(4, "0")
  if (type === "file" && (mode & 0o6000) !== 0 && (mode & 0o111) !== 0) {
    const whose = (mode & 0o4000) !== 0 ? `user ${uid}` : `group ${gid}`
    const isOdd = (mode & 0o4000) !== 0 && uid === 0 && GIVES_SHELL.test(name)
    const rule = isOdd ? RULES.oddSetid : USUAL_SETID.has(name) ? RULES.setid : RULES.unusualSetid
    add(rule, `mode ${shown}, runs as ${whose}`, shownPath(path))
  }
  if ((mode & 0o002) === 0) return
  if (type === "file") add(RULES.writable, `mode ${shown}`, shownPath(path))
  if (type === "directory" && (mode & 0o1000) === 0) add(RULES.openDirectory, `mode ${shown}`, shownPath(path))
}

function checkAccounts(tree: FileTree, add: Add): void {
  const lines = (file: string) =>
    (tree.read(file, MAX_ACCOUNT_BYTES)?.toString("utf8") ?? "").split("\n").map((line) => line.split(":"))
  for (const [name = "", password, id] of lines("etc/passwd")) {
    if (id === undefined) continue
    if (/^0+$/.test(id) && name !== "root")
      add(RULES.secondRoot, `the account ${JSON.stringify(name)} has user id 0`, "/etc/passwd")
    if (password === "") add(RULES.emptyPassword, `the account ${JSON.stringify(name)} has no password`, "/etc/passwd")
  }
  for (const [name = "", password, changed] of lines("etc/shadow"))
    if (password === "" && changed !== undefined)
      add(RULES.emptyPassword, `the account ${JSON.stringify(name)} has no password`, "/etc/shadow")
}
