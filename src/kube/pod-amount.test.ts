import { expect, test } from "bun:test"
import { podAmount } from "./pod-amount.ts"

const one = (amount: number, restartPolicy?: string): { amount: number; restartPolicy?: string } => ({
  amount,
  ...(restartPolicy !== undefined && { restartPolicy }),
})

test.each([
  ["containers are added", [one(1), one(2)], [], 3],
  ["one that initialises counts where it is more", [one(1)], [one(5), one(2)], 5],
  ["sidecars are added to containers", [one(1)], [one(2, "Always")], 3],
  ["and to what initialises after them, alone", [one(1)], [one(4), one(2, "Always"), one(3)], 5],
])("%s", (_, containers, initContainers, amount) => {
  expect(podAmount({ containers, initContainers }, (container) => container.amount)).toBe(amount)
})
