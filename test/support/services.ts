import { inject } from "vitest";

/** Where the real services listen that `test/support/start-services.ts` started for this run. */
export const services = inject("services");
