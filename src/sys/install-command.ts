import { findProgram, osRelease } from "./host.ts"

/** A thing to install, by the name that each family of distributions gives its package. */
export interface Packages {
  debian: string
  fedora?: string
  alpine?: string
  arch?: string
  suse?: string
}

const MANAGERS = [
  { family: "debian", ids: ["debian", "ubuntu"], program: "apt-get", command: "apt-get install -y" },
  { family: "fedora", ids: ["fedora", "rhel", "centos"], program: "dnf", command: "dnf install -y" },
  { family: "alpine", ids: ["alpine"], program: "apk", command: "apk add" },
  { family: "arch", ids: ["arch"], program: "pacman", command: "pacman -S --noconfirm" },
  { family: "suse", ids: ["suse", "opensuse"], program: "zypper", command: "zypper install -y" },
] as const

/** The one command that installs `packages` on this host, with sudo where we are not root: `sudo apt-get install -y crun`. */
export function installCommand(packages: Packages, sudo = process.getuid?.() !== 0): string {
  const { id, idLike } = osRelease()
  const names = new Set([id, ...idLike])
  const manager =
    MANAGERS.find(({ ids }) => ids.some((known) => names.has(known))) ??
    MANAGERS.find(({ program }) => findProgram(program) !== undefined) ??
    MANAGERS[0]
  return asRoot(`${manager.command} ${packages[manager.family] ?? packages.debian}`, sudo)
}

/** `command` as a user types it who may not be root. */
export function asRoot(command: string, sudo = process.getuid?.() !== 0): string {
  return sudo ? `sudo ${command}` : command
}
