import type { Language } from "../../../base/messages.ts"
import type { Engine } from "../../../engine/engine.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { LANGUAGE_FLAG, languageOf } from "../../explain/language.ts"
import { Paper } from "../../explain/paper.ts"
import { TOPICS, type Topic } from "../../explain/topics.ts"
import { flag } from "../../flag.ts"
import type { Out } from "../../out.ts"
import { printDocuments } from "../../output/document.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { inPascalCase } from "../../output/pascal-case.ts"

export default command({
  summary: "Show what a container is made of, or teach how containers work on this machine",
  args: [arg.optional("CONTAINER|TERM", "containers")],
  flags: {
    security: flag.bool("Grade what weakens the isolation of the container, with repairs"),
    namespaces: flag.bool("Teach: namespaces, with those of this machine"),
    cgroups: flag.bool("Teach: control groups, with those of this machine"),
    architecture: flag.bool("Teach: what happens from a command to a process"),
    differences: flag.bool("Teach: docker, podman and skiff beside each other"),
    glossary: flag.bool("Teach: what words mean; with TERM, that one"),
    history: flag.bool("Teach: from chroot to cgroup v2"),
    lang: LANGUAGE_FLAG,
    ...DOCUMENT_FORMAT_FLAGS,
  },
  async run({ args: [subject], flags, engine, out }) {
    const topics = TOPICS.filter((topic) => flags[topic])
    const language = languageOf(flags.lang)
    const chosen = topics.length + (flags.security ? 1 : 0)
    if (chosen > 1) throw new UsageError("only one page can be shown at a time")
    const [topic] = topics
    if (topic === undefined && subject === undefined && flags.security)
      throw new UsageError("--security needs a container", { hint: "see: skiff explain --help" })
    if (topic !== undefined && topic !== "glossary" && subject !== undefined)
      throw new UsageError(`--${topic} is a page of this machine: it takes no container`)
    const document = flags.json || flags.format !== undefined
    if (document) return printDocument(engine, out, { topic, subject, flags, language })
    const paper = new Paper({ fd: 1, columns: out.columns })
    await page(paper, engine, { topic, subject, security: flags.security, language })
    out.page(paper.finish())
  },
})

/** A word that is no container: the network of Kubernetes' Pods and Services. */
const KUBE_NET = "kube-net"

interface Asked {
  topic: Topic | undefined
  subject: string | undefined
  language: Language
}

async function page(
  paper: Paper,
  engine: Engine,
  { topic, subject, security, language }: Asked & { security: boolean },
): Promise<void> {
  if (topic === undefined && subject === KUBE_NET && !security) {
    const { kubeNetPage } = await import("../../explain/kube-net-page.ts")
    return kubeNetPage(paper, engine, language)
  }
  const explanations = await engine.explanations()
  if (topic === undefined && subject !== undefined) {
    if (security) {
      const { securityPage } = await import("../../explain/security-page.ts")
      return securityPage(paper, await explanations.security(subject), language)
    }
    const { containerPage } = await import("../../explain/container-page.ts")
    return containerPage(paper, await explanations.container(subject), language)
  }
  const { topicPage } = await import("../../explain/topic-page.ts")
  return topicPage(paper, topic ?? "contents", { host: explanations.host(), term: subject, language })
}

/** The same as data; findings keep their sentences, for who shows them elsewhere. */
async function printDocument(
  engine: Engine,
  out: Out,
  {
    topic,
    subject,
    language,
    flags,
  }: Asked & { flags: { security: boolean; json: boolean; format: string | undefined } },
): Promise<void> {
  const format = flags.json ? undefined : flags.format
  const print = (value: object): void => printDocuments(out, [inPascalCase(value) as object], format)
  if (topic === undefined && subject === KUBE_NET && !flags.security) {
    const { kubeNetFacts } = await import("../../explain/kube-net-page.ts")
    return print(await kubeNetFacts(engine))
  }
  const explanations = await engine.explanations()
  if (topic === "glossary") {
    const { glossaryOf } = await import("../../explain/topic-page.ts")
    return print({ terms: await glossaryOf(language, subject) })
  }
  if (topic !== undefined || subject === undefined) return print(explanations.host())
  if (!flags.security) return print(await explanations.container(subject))
  const { openSecurityWords } = await import("../../explain/security-page.ts")
  const [grade, words] = await Promise.all([explanations.security(subject), openSecurityWords(language)])
  print({ ...grade, findings: grade.findings.map((finding) => Object.assign({}, finding, words.of(finding))) })
}
