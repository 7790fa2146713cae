import { expect, test } from "bun:test"
import { COMPOSE_FLAGS_WITH_VALUE, FLAGS_WITH_VALUE } from "../sys/rootless/enter.ts"
import { PROJECT_FLAGS } from "./compose/project-flags.ts"
import { flagName, type Flags } from "./flag.ts"
import { GLOBAL_FLAGS } from "./globals.ts"

/** All names of flags whose value may be the next word. */
function takers(flags: Flags): string[] {
  const found = Object.entries(flags).filter(([, one]) => one.bare === undefined)
  return found
    .flatMap(([property, { short }]) => (short ? [`--${flagName(property)}`, `-${short}`] : `--${flagName(property)}`))
    .toSorted()
}

test("an ordinary user's process knows which global flags take a value, before it knows anything else", () => {
  expect(takers(GLOBAL_FLAGS)).toEqual([...FLAGS_WITH_VALUE].toSorted())
  expect(takers(PROJECT_FLAGS)).toEqual([...COMPOSE_FLAGS_WITH_VALUE].toSorted())
})
