/** A real browser: Debian's chromium, driven by Playwright's library. */
import { spawnSync } from "node:child_process"
import { chromium, type Browser, type Page } from "playwright-core"

const [path = ""] = spawnSync("sh", ["-c", "command -v chromium"]).stdout.toString().trim().split("\n")

/** Why there is none here, or false. */
export const noBrowser: string | false = path === "" && "no chromium here"

/** The page of a telephone and that of a desk. */
export const SCREENS = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
] as const

export const SCHEMES = ["light", "dark"] as const

/** Root's chromium has no sandbox of its own; what it shows here is ours. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: path, args: ["--no-sandbox"] })
}

/** How much wider the page is than the screen: 0 where nobody has to scroll sideways. */
export async function overflow(page: Page): Promise<number> {
  return Number(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
}

/** What the browser runs: as text, since its objects are none of ours. */
const FAINT = `(() => {
  const parse = (colour) => (colour.match(/[0-9.]+/g) ?? []).map(Number)
  const linear = (one) => (one / 255 <= 0.04045 ? one / 3294.6 : ((one / 255 + 0.055) / 1.055) ** 2.4)
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
  const behind = (element) => {
    if (element === null) return [255, 255, 255]
    const colour = parse(getComputedStyle(element).backgroundColor)
    return colour[3] === 0 ? behind(element.parentElement) : colour
  }
  return [...document.querySelectorAll("body *")].flatMap((element) => {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    if (!own || element.tagName === "SCRIPT") return []
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    return ratio < 4.5 ? [element.tagName + " " + element.textContent.slice(0, 30) + " " + ratio.toFixed(2)] : []
  })
})()`

/** Texts whose contrast with what lies behind them is below WCAG's 4.5 to 1, with the ratio. */
export async function faintTexts(page: Page): Promise<string[]> {
  return (await page.evaluate(FAINT)) as string[]
}
