import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from "node:fs"
import { homedir, userInfo } from "node:os"
import { dirname, join, relative } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { FailedPrecondition } from "../../base/errors.ts"
import { findProgram } from "../../sys/host.ts"
import { run } from "../../sys/process/process.ts"
import { BOOT_NAME, cronLine, openRcScript, systemdBootUnit } from "./boot-unit.ts"

/** Where the unit goes, and what runs it. */
export interface BootPlace {
  /** Root of the file system that is changed: `/`, or an image's. */
  prefix: string
  isRoot: boolean
  /** Words that run skiff. */
  skiff: readonly string[]
}

/** What was done, as lines for people; the last may be a hint. */
export async function enableBoot(place: BootPlace): Promise<string[]> {
  const { isRoot, skiff, prefix } = place
  if (hasSystemd(prefix)) {
    const { unit, link } = systemdPaths(place)
    write(unit, systemdBootUnit(skiff, isRoot ? "system" : "user"), 0o644)
    relink(unit, link)
    await reload(place)
    return [`wrote ${unit}`, `enabled it: ${link}`, ...lingerHint(place)]
  }
  if (isRoot && existsSync(join(prefix, "sbin/openrc-run"))) {
    const { script, link } = openRcPaths(prefix)
    write(script, openRcScript(skiff), 0o755)
    relink(script, link)
    return [`wrote ${script}`, `enabled it: ${link}`]
  }
  const crontab = prefix === "/" ? findProgram("crontab") : undefined
  if (crontab !== undefined) {
    await writeCrontab(crontab, [...(await otherLines(crontab)), cronLine(skiff)])
    return [`added a line to your crontab: ${cronLine(skiff)}`]
  }
  throw new FailedPrecondition("this host has neither systemd nor OpenRC nor cron: nothing starts containers at boot", {
    hint: "have your init run: skiff start --all --filter should-start-on-boot=true",
  })
}

/** The opposite, of all that may be there. Safe to repeat. */
export async function disableBoot(place: BootPlace): Promise<string[]> {
  const { unit, link } = systemdPaths(place)
  const { script, link: runlevel } = openRcPaths(place.prefix)
  const paths = [link, unit, ...(place.isRoot ? [runlevel, script] : [])].filter(isThere)
  for (const path of paths) rmSync(path)
  if (paths.includes(unit)) await reload(place)
  const crontab = place.prefix === "/" ? findProgram("crontab") : undefined
  const done = paths.map((path) => `removed ${path}`)
  if (crontab === undefined) return done
  const { code, stdout } = await run([crontab, "-l"])
  if (code !== 0 || !stdout.includes(`# ${BOOT_NAME}`)) return done
  await writeCrontab(crontab, await otherLines(crontab))
  return [...done, "removed the line of your crontab"]
}

function hasSystemd(prefix: string): boolean {
  // of an image: what is installed; of this host: what runs
  return prefix === "/" ? existsSync("/run/systemd/system") : existsSync(join(prefix, "usr/lib/systemd/system"))
}

function systemdPaths({ prefix, isRoot }: BootPlace): { unit: string; link: string } {
  const config = process.env.XDG_CONFIG_HOME || join(homedir(), ".config")
  const directory = isRoot ? join(prefix, "etc/systemd/system") : join(prefix, config, "systemd/user")
  const target = isRoot ? "multi-user.target.wants" : "default.target.wants"
  return { unit: join(directory, `${BOOT_NAME}.service`), link: join(directory, target, `${BOOT_NAME}.service`) }
}

function openRcPaths(prefix: string): { script: string; link: string } {
  return { script: join(prefix, "etc/init.d", BOOT_NAME), link: join(prefix, "etc/runlevels/default", BOOT_NAME) }
}

function write(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true })
  atomicWrite(path, text, { mode, durable: true })
}

/** Relative to the link: an image's root is elsewhere now than later. */
function relink(target: string, link: string): void {
  mkdirSync(dirname(link), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(relative(dirname(link), target), link)
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** A manager that cannot be asked reads the file at its next start. */
async function reload({ prefix, isRoot }: BootPlace): Promise<void> {
  const systemctl = findProgram("systemctl")
  if (prefix !== "/" || systemctl === undefined) return
  await run([systemctl, ...(isRoot ? [] : ["--user"]), "daemon-reload"])
}

/** Without it a user's manager, and so his containers, begin with his first login and end with the last. */
function lingerHint({ isRoot, prefix }: BootPlace): string[] {
  const { username } = userInfo()
  if (isRoot || existsSync(join(prefix, "var/lib/systemd/linger", username))) return []
  return [`your units begin with your first login; to have them begin at boot: loginctl enable-linger ${username}`]
}

async function otherLines(crontab: string): Promise<string[]> {
  const { code, stdout } = await run([crontab, "-l"])
  // none yet is an error of crontab
  const lines = code === 0 ? stdout.split("\n").filter((line) => line !== "") : []
  return lines.filter((line) => !line.endsWith(`# ${BOOT_NAME}`))
}

async function writeCrontab(crontab: string, lines: readonly string[]): Promise<void> {
  const { code, stderr } = await run([crontab, "-"], { input: lines.map((line) => `${line}\n`).join("") })
  if (code !== 0) throw new FailedPrecondition(`crontab refused the new lines: ${stderr.trim()}`)
}
