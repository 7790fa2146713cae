const ADJECTIVES =
  "able amber agile bold brave breezy bright brisk calm candid clever coral crisp curious daring deft eager earnest " +
  "fair fearless fleet fond frank gentle glad golden grand happy hardy hearty honest humble jolly keen kind lively " +
  "loyal lucid mellow merry mighty modest nimble noble patient placid plucky polite proud quick quiet ready serene " +
  "sharp silver sincere smart snug spry steady sunny swift tidy tranquil trusty upbeat valiant vivid warm wise witty zesty"

// sailors, shipwrights, map makers, and people of computing
const SURNAMES =
  "amundsen anson baffin baret barents beaufort bering blackborow bligh bougainville bowditch cabot chichester cook " +
  "crozier dampier diaz drake earhart flinders franklin frobisher gama gerbault harrison hawkins henson heyerdahl hopper " +
  "hudson ibnbattuta kerguelen knoxjohnston lovelace mackay magellan maury mercator moitessier nansen noonan ortelius " +
  "perouse polynesia pytheas raleigh ritchie rodgers ross schouten shackleton sinclair slocum stroustrup tabarly tasman " +
  "thompson torvalds tupaia turing vancouver vespucci wallis weddell worsley zheng"

const adjectives = ADJECTIVES.split(" ")
const surnames = SURNAMES.split(" ")

/** A name nobody chose: `brisk_slocum`; after two tries with a number, so that a free one is found. */
export function generateName(attempt: number): string {
  const name = `${pick(adjectives)}_${pick(surnames)}`
  return attempt < 2 ? name : `${name}${Math.floor(Math.random() * 10 ** Math.min(attempt, 9))}`
}

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] ?? "skiff"
}
