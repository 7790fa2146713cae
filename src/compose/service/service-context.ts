import type { Project, Service } from "../project.ts"

/** A container of another service, as this one may refer to it. */
export interface ReferredContainer {
  id: string
  name: string
  number: number
}

/** What a service's options are made of, and who hears of what has no effect. */
export interface ServiceContext {
  project: Project
  /** Of the service in the file. */
  key: string
  service: Service
  /** Between the parts of names: `_` as compose 1 had it. */
  separator: "-" | "_"
  /** Of a service of this project that have been made, by number. */
  containersOf(service: string): readonly ReferredContainer[]
  /** A sentence for the maker of the file. */
  warn(message: string): void
}

/** `services.web.ports[0]`: where it stands in the file. */
export function keyOf({ key }: Pick<ServiceContext, "key">, ...path: readonly (string | number)[]): string {
  return `services.${key}${path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("")}`
}
