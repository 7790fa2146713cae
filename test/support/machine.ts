import { sharedRegistry } from "./registry.ts"
import { Skiff, type Outcome } from "./skiff.ts"

/** Another machine, as far as a store can tell: nothing of ours is in it. Closed, and checked for what is left, by disposal. */
export class Machine extends Skiff implements AsyncDisposable {
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // the kernel takes its time with links of namespaces that have ended, also of the store beside this one
      await this.leavesNothing(30_000)
    } finally {
      await this.close()
    }
  }
}

/** What a build says of its steps: those that ran, and those that did not, in the order they ended. */
export interface Steps {
  ran: string[]
  cached: string[]
  /** Standard error, whole. */
  told: string
}

/** The steps of a plain progress, without their places; throws where the build failed. */
export function stepsOf({ code, stderr }: Outcome): Steps {
  if (code !== 0) throw new Error(stderr)
  const names = new Map([...stderr.matchAll(/^#(\d+) \[[^\]]*\] (.*)$/gm)].map(([, number, name]) => [number, name]))
  const ended = (how: string): string[] =>
    [...stderr.matchAll(new RegExp(`^#(\\d+) ${how}`, "gm"))].flatMap(([, number]) => {
      const name = names.get(number) ?? ""
      return /^(?:RUN|COPY|ADD|WORKDIR)/.test(name) ? [name] : []
    })
  return { ran: ended("DONE"), cached: ended("CACHED"), told: stderr }
}

/** A name in the registry of this test process. */
export async function registryName(name: string): Promise<string> {
  return `${(await sharedRegistry()).host}/${name}`
}
