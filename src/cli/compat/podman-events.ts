import { DEFAULT_NETWORK } from "../../network/network.ts"
import {
  actionsOfStatus,
  podmanEventDocument,
  podmanEventLine,
  podmanEventRow,
  podmanEvents,
} from "../../podman/event.ts"
import type { EventWords } from "./event-words.ts"
import { PODMAN_NETWORK_HABITS } from "./network-habits.ts"

const NETWORK = { kept: DEFAULT_NETWORK, shown: PODMAN_NETWORK_HABITS.defaultName }

/** Podman's. */
export const PODMAN_EVENT_WORDS: EventWords = {
  shown: (event, statuses) =>
    podmanEvents(event, NETWORK)
      .filter(({ status }) => statuses === undefined || statuses.some((one) => one.toLowerCase() === status))
      .map((one) => ({
        line: () => podmanEventLine(one),
        document: () => podmanEventDocument(one),
        row: () => podmanEventRow(one),
      })),
  actions: (statuses) => statuses.flatMap(actionsOfStatus),
}
