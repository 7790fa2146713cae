/** The content of pages. Pure. */
import { formatSize } from "../../../base/sizes.ts"
import type { Descriptor } from "../../../spec/oci-image.ts"
import type { Page } from "../server.ts"
import { html, type Html } from "./html.ts"
import type { ImageFacts } from "./image-facts.ts"

/** A tag, and what it leads to. */
export interface TagView {
  tag: string
  facts: ImageFacts
  referrers: readonly Descriptor[]
}

/** Of a label's text. */
const MAX_TEXT = 300
const SHORT_DIGEST = 19
const ENGINES = ["skiff", "docker", "podman"] as const

/** Repositories, each a link; `last`: where the next page begins. */
export function repositoriesView({ names, hasMore }: Page, isFirst: boolean, last: string | undefined): Html {
  return html`<h1>Repositories</h1>
    ${
      names.length === 0
        ? html`<p class="dim">${isFirst ? "There is nothing here yet: push an image." : "There are no more."}</p>`
        : html`<ul class="plain">
            ${names.map(
              (name) =>
                html`<li>
                  <a href="${linkTo({ repository: name })}"><bdi>${name}</bdi></a>
                </li>`,
            )}
          </ul>`
    }
    ${hasMore && last !== undefined ? html`<nav><a href="${linkTo({ last })}">More</a></nav>` : undefined}`
}

/** Tags of a repository. */
export function repositoryView(
  repository: string,
  tags: readonly TagView[],
  next: string | undefined,
  host: string,
): Html {
  return html`<p><a href="/">All repositories</a></p>
    <h1><bdi>${repository}</bdi></h1>
    ${tags.length === 0 ? html`<p class="dim">No tag leads to anything here.</p>` : undefined}
    ${tags.map((one) => tagView(repository, one, host))}
    ${next === undefined ? undefined : html`<nav><a href="${linkTo({ repository, last: next })}">More tags</a></nav>`}`
}

function tagView(repository: string, { tag, facts, referrers }: TagView, host: string): Html {
  const { sizeBytes, createdAt, artifactType, members, platform, labels } = facts
  const platforms =
    members.length > 0 ? members.map((one) => one.platform ?? one.artifactType) : [platform ?? artifactType]
  const name = `${host}/${repository}:${tag}`
  return html`<article>
    <div class="row">
      <h2><bdi>${tag}</bdi></h2>
      ${sizeBytes === undefined ? undefined : html`<span class="dim">${formatSize(sizeBytes)}</span>`}
      ${createdAt === undefined ? undefined : html`<span class="dim">${createdAt}</span>`}
    </div>
    <div class="row">
      ${platforms.map((one) => (one === undefined ? undefined : html`<span class="chip"><bdi>${one}</bdi></span>`))}
    </div>
    ${commandView(`${ENGINES[0]} pull ${name}`)}
    <p class="mono dim">${facts.descriptor.digest}</p>
    <details>
      <summary>Layers and pull commands</summary>
      ${ENGINES.slice(1).map((engine) => commandView(`${engine} pull ${name}`))}
      ${commandView(`${ENGINES[0]} pull ${host}/${repository}@${facts.descriptor.digest}`)}
      ${members.length > 0 ? members.map(memberView) : layersView(facts)}
      ${facts.more > 0 ? html`<p class="dim">${facts.more} more are not shown.</p>` : undefined}
      ${labels.length > 0 ? labelsView(labels) : undefined}
    </details>
    ${referrers.length > 0 ? referrersView(referrers) : undefined}
  </article>`
}

function commandView(command: string): Html {
  return html`<div class="command"><code>${command}</code><button type="button" data-copies>Copy</button></div>`
}

function memberView(member: ImageFacts): Html {
  const { platform, artifactType, sizeBytes, descriptor } = member
  return html`<h3>
      <bdi>${platform ?? artifactType ?? descriptor.mediaType}</bdi
      >${sizeBytes === undefined ? "" : ` · ${formatSize(sizeBytes)}`}
    </h3>
    <p class="mono dim">${descriptor.digest}</p>
    ${layersView(member)}`
}

function layersView({ layers }: ImageFacts): Html | undefined {
  if (layers.length === 0) return undefined
  return html`<table>
    ${layers.map(
      ({ digest, size, mediaType }) =>
        html`<tr>
          <td>
            <code title="${digest}">${digest.slice(0, SHORT_DIGEST)}</code>
            <span class="dim">${shortType(mediaType)}</span>
          </td>
          <td class="size">${formatSize(size)}</td>
        </tr>`,
    )}
  </table>`
}

function labelsView(labels: ImageFacts["labels"]): Html {
  return html`<h3>Labels</h3>
    <table>
      ${labels.map(
        ([key, value]) =>
          html`<tr>
            <td><bdi>${cut(key)}</bdi></td>
            <td><bdi>${cut(value)}</bdi></td>
          </tr>`,
      )}
    </table>`
}

function referrersView(referrers: readonly Descriptor[]): Html {
  return html`<details>
    <summary>${referrers.length} ${referrers.length === 1 ? "referrer" : "referrers"}</summary>
    <table>
      ${referrers.map(
        ({ digest, artifactType, size }) =>
          html`<tr>
            <td><bdi>${cut(artifactType ?? "of no type")}</bdi> <code class="dim">${digest}</code></td>
            <td class="size">${formatSize(size)}</td>
          </tr>`,
      )}
    </table>
  </details>`
}

function shortType(mediaType: string): string {
  return cut(mediaType.replace(/^application\/vnd\.(?:oci\.image|docker\.image\.rootfs)\./, ""))
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}

function linkTo(query: Record<string, string>): string {
  return `/?${new URLSearchParams(query).toString()}`
}
