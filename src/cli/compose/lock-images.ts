import type { Project, Service } from "../../compose/compose.ts"
import { parseReference, type Images } from "../../image/image.ts"

/** The same project, each image named by the digest that its registry has for the tag now. Throws as `Images.lookAt`. */
export async function lockImages(project: Project, images: () => Promise<Images>): Promise<Project> {
  const services = await Promise.all(
    Object.entries(project.services).map(async ([name, service]): Promise<[string, Service]> => {
      const { image } = service
      return [name, image === undefined ? service : { ...service, image: await lockImage(image, await images()) }]
    }),
  )
  return { ...project, services: Object.fromEntries(services) }
}

async function lockImage(image: string, images: Images): Promise<string> {
  const reference = parseReference(image)
  const { registry, repository, tag = "latest", digest } = reference
  const name = `${registry}/${repository}`
  if (digest !== undefined) return `${name}@${digest}`
  const { top } = await images.lookAt(`docker://${image}`, {})
  return `${name}:${tag}@${top.descriptor.digest}`
}
