import { formatUnit, unitWords, type UnitLine } from "./unit-file.ts"

/** Of the unit, the init script and the line of cron. */
export const BOOT_NAME = "skiff-boot"

/** What a boot starts: all whose restart policy says so, but what somebody stopped and `unless-stopped` leaves down. */
function bootWords(skiff: readonly string[]): string[] {
  return [...skiff, "start", "--all", "--filter", "should-start-on-boot=true"]
}

/**
 * For systemd. No stop: a container that is stopped by it would count as stopped by somebody, and `unless-stopped` would leave it down. What
 * a start leaves behind (monitors, the supervisor) is not the unit's to kill.
 */
export function systemdBootUnit(skiff: readonly string[], manager: "system" | "user"): string {
  const isSystem = manager === "system"
  const online: UnitLine[] = ["Wants", "After"].map((key) => [key, "network-online.target"])
  const unit: [string, UnitLine[]][] = [
    ["Unit", [["Description", "Containers of skiff with a restart policy"], ...(isSystem ? online : [])]],
    [
      "Service",
      [
        ["Type", "oneshot"],
        ["RemainAfterExit", "yes"],
        ["ExecStart", unitWords(bootWords(skiff))],
        ["KillMode", "process"],
      ],
    ],
    ["Install", [["WantedBy", isSystem ? "multi-user.target" : "default.target"]]],
  ]
  return formatUnit(new Map(unit))
}

/** For OpenRC. */
export function openRcScript(skiff: readonly string[]): string {
  return `#!/sbin/openrc-run
description="Containers of skiff with a restart policy"

depend() {
  need localmount
  after net firewall
}

start() {
  ebegin "Starting containers"
  ${bootWords(skiff).map(shellQuoted).join(" ")} >/dev/null
  eend $?
}
`
}

/** For crontab(5). */
export function cronLine(skiff: readonly string[]): string {
  // cron takes an unescaped % for a newline
  return `@reboot ${bootWords(skiff).map(shellQuoted).join(" ").replaceAll("%", "\\%")} # ${BOOT_NAME}`
}

function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
