import { expect, test } from "bun:test"
import { FLAGS_WITH_VALUE } from "../sys/rootless/enter.ts"
import { flagName } from "./flag.ts"
import { GLOBAL_FLAGS } from "./globals.ts"

test("an ordinary user's process knows which global flags take a value, before it knows anything else", () => {
  const takers = Object.entries(GLOBAL_FLAGS).filter(([, one]) => one.bare === undefined)
  const long = takers.map(([property]) => `--${flagName(property)}`)
  const withValue = long.concat(takers.flatMap(([, { short }]) => (short === undefined ? [] : [`-${short}`])))
  expect(withValue.toSorted()).toEqual([...FLAGS_WITH_VALUE].toSorted())
})
