import { isSkiffError } from "../base/errors.ts"
import { familiarName, parseReference } from "../image/image.ts"
import type { Registries } from "../registry/registry.ts"
import type { Publisher, PublishedImage } from "./scan.ts"

/** See `Scans.publisher`. */
export async function publisherOf(registries: Registries, { tags, digests }: PublishedImage): Promise<Publisher> {
  const [name] = [...digests, ...tags]
  if (name === undefined || digests.length === 0)
    return { trust: "unknown", evidence: "it was built or loaded here, and came from no registry" }
  const ref = parseReference(name)
  const repository = familiarName(`${ref.registry}/${ref.repository}`).replace(/:latest$/, "")
  try {
    const admission = await registries.admission({ transport: "docker", ref })
    return admission === undefined
      ? { repository, trust: "accepted", evidence: `the trust policy of this host accepts ${repository} unsigned` }
      : {
          repository,
          trust: "signed",
          evidence: `the trust policy of this host lets ${repository} in only when it is signed by ${admission.signers.join(" and by ")}`,
        }
  } catch (error) {
    if (!isSkiffError(error, "PermissionDenied")) throw error
    return { repository, trust: "rejected", evidence: `the trust policy of this host rejects ${repository}` }
  }
}
