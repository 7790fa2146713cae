import { CONTAINER_RULES } from "./container-rules.ts"
import { finding } from "../rule.ts"
import type { ContainerSettings } from "./container-settings.ts"
import type { Misconfiguration, Place } from "../../scan.ts"

/** What breaks the rules on running containers; `placeOf`: where the setting, as compose names it, is written. */
export function checkSettings(
  settings: ContainerSettings,
  kind: "container" | "compose",
  placeOf: (setting: string) => Place = () => ({}),
): Misconfiguration[] {
  return CONTAINER_RULES.flatMap((rule) =>
    rule.check(settings).map((message) => finding(rule, kind, `${settings.name}: ${message}`, placeOf(rule.setting))),
  )
}
