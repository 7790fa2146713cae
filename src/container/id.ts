import { randomHex } from "../base/random-hex.ts"
import type { ContainerId } from "./container.ts"

const FULL_ID = /^[0-9a-f]{64}$/

/** A new id: 64 random hex digits. */
export function newContainerId(): ContainerId {
  return randomHex(32) as ContainerId
}

/** Whether `text` is a whole id. */
export function isContainerId(text: string): text is ContainerId {
  return FULL_ID.test(text)
}
