import type { Network } from "../../network/network.ts"
import type { KubeObjects, StoredObject } from "../objects/objects.ts"
import { assignService, type AssignedService } from "./assign-service.ts"

/**
 * A new Service with its addresses, so that who made it is told them at once. Before the cluster's network is there, it gets them with that
 * (service-controller.ts). In the transaction of the creation. Throws InvalidArgument for what is another's.
 */
export function assignNewService(
  objects: Pick<KubeObjects, "list">,
  network: Pick<Network, "options"> | undefined,
  service: StoredObject,
): StoredObject {
  const ranges = network?.options.virtual
  if (ranges === undefined) return service
  const services = objects.list("services").items as unknown as AssignedService[]
  const spec = assignService(service as unknown as AssignedService, { ranges, services })
  return { ...service, spec }
}
