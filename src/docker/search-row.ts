import type { FoundRepository } from "../registry/registry.ts"
import { ellipsis } from "./ellipsis.ts"

const SHORT_DESCRIPTION = 45

/** A line of `search`, by docker's template names; `isFull`: with the registry, as podman has it. */
export function searchRow(
  { registry, repository, description, stars, isOfficial }: FoundRepository,
  { noTrunc, isFull }: { noTrunc: boolean; isFull: boolean },
): object {
  const short = registry === "docker.io" ? repository.replace(/^library\//, "") : `${registry}/${repository}`
  const text = description.replaceAll(/\s+/g, " ").trim()
  return {
    Index: registry,
    Name: isFull ? `${registry}/${repository}` : short,
    Description: noTrunc ? text : ellipsis(text, SHORT_DESCRIPTION),
    StarCount: String(stars),
    Stars: String(stars),
    IsOfficial: isOfficial ? "[OK]" : "",
    Official: isOfficial ? "[OK]" : "",
    IsAutomated: "",
    Automated: "",
  }
}

/** Column titles of its fields. */
export const SEARCH_TITLES = {
  Index: "INDEX",
  Name: "NAME",
  Description: "DESCRIPTION",
  StarCount: "STARS",
  Stars: "STARS",
  IsOfficial: "OFFICIAL",
  Official: "OFFICIAL",
  IsAutomated: "AUTOMATED",
  Automated: "AUTOMATED",
}
