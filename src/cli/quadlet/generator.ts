import { mkdirSync, rmSync, symlinkSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { shellWords } from "../build/shell-words.ts"
import { convertUnit } from "./convert.ts"
import { loadUnits } from "./directories.ts"
import type { QuadletUnit } from "./quadlet-unit.ts"

/** A service that was made of a file. */
export interface GeneratedService {
  unit: QuadletUnit
  /** `web.service`. */
  name: string
  text: string
}

/** All services of the files in `directories`, and what is wrong with those that make none. */
export function generateServices(
  directories: readonly string[],
  given: { skiff: readonly string[]; isUser: boolean },
): { services: GeneratedService[]; errors: Error[] } {
  const { units, errors } = loadUnits(directories)
  const services = [...units.values()].flatMap((unit): GeneratedService[] => {
    try {
      return [{ unit, name: `${unit.serviceName}.service`, text: convertUnit(unit, { ...given, units }) }]
    } catch (error) {
      errors.push(error instanceof Error ? error : new Error(String(error)))
      return []
    }
  })
  return { services, errors }
}

/** systemd.generator(7): services, and the links that `[Install]` asks for, into the directory that systemd reads next. */
export function writeServices(directory: string, services: readonly GeneratedService[]): void {
  mkdirSync(directory, { recursive: true })
  for (const { unit, name, text } of services) {
    atomicWrite(join(directory, name), text, { mode: 0o644 })
    for (const link of installLinks(unit, name)) {
      const path = join(directory, link)
      mkdirSync(dirname(path), { recursive: true })
      rmSync(path, { force: true })
      symlinkSync(relative(dirname(path), join(directory, name)), path)
    }
  }
}

/** Of a template only its default instance is there to be linked. */
function installLinks(unit: QuadletUnit, name: string): string[] {
  const install = unit.sections.get("Install")
  const instance = unit.all("DefaultInstance", install).at(-1)
  const service = unit.isTemplate && instance !== undefined ? name.replace("@.", `@${instance}.`) : name
  const words = (key: string) => unit.all(key, install).flatMap((value) => shellWords(value))
  // a name with a slash would lead out of the directory
  return [
    ...words("Alias"),
    ...(service.endsWith("@.service") ? [] : words("WantedBy").map((target) => `${target}.wants/${service}`)),
    ...(service.endsWith("@.service") ? [] : words("RequiredBy").map((target) => `${target}.requires/${service}`)),
    ...(service.endsWith("@.service") ? [] : words("UpheldBy").map((target) => `${target}.upholds/${service}`)),
  ].filter((link) => !link.startsWith("/") && !link.split("/").includes("..") && link.split("/").length <= 2)
}
