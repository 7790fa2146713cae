import type { Images } from "../image/image.ts"
import type { Admissions } from "../scan/policy/open-policy.ts"

/** Pulls that bring in only what the host's policy lets in: an image that was not here before goes again. */
export function withAdmission(images: Images, policy: () => Promise<Admissions | undefined>): Images {
  const pull = images.pull.bind(images)
  return Object.assign(images, {
    async pull(...[name, options]: Parameters<Images["pull"]>) {
      const admissions = await policy()
      const known = new Set(admissions === undefined ? [] : images.list().map(({ id }) => id))
      const result = await pull(name, options)
      try {
        await admissions?.admit(result.image)
      } catch (error) {
        if (!known.has(result.image.id)) await images.remove(result.name)
        throw error
      }
      return result
    },
  })
}
