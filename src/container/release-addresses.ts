import type { ContainerDeps } from "./deps.ts"
import type { ContainerRecord } from "./record.ts"

/** The addresses that a container has asked for are anybody's again. Safe to repeat. */
export async function releaseAddresses(deps: ContainerDeps, { id, state }: ContainerRecord): Promise<void> {
  const { attachments, leaving } = state
  const isAsking = [...attachments, leaving].some((one) => one?.address !== undefined || one?.address6 !== undefined)
  if (isAsking) (await deps.networks()).release(id)
}
