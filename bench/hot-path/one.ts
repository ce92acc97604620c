// `fork`ed with a measure's name and whether it runs in full: answers what it measured. A process of its own, so that no
// measure has another's memory, threads or warm caches.
import { createProgress } from "../../src/cli/progress.ts";
import { measures } from "./measures.ts";

// Nobody waits for it where the bench was ended.
process.once("disconnect", () => process.exit(1));
const [name = "", splits = "", full] = process.argv.slice(2);
const progress = createProgress();
const measure = await measures[name]?.load();
if (measure === undefined) throw new Error(`There is no measure ${name}.`);
const measured = await measure({ full: full === "full", splits, progress });
progress.end();
process.send?.(measured, () => process.exit(0));
