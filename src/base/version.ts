import { version } from "../../package.json"

/** The version of this skiff, as package.json has it. */
export const VERSION: string = version
