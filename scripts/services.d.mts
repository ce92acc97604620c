export interface Services {
  kafka: { broker: string; securedBroker: string; kill(): void; restart(downMs?: number): Promise<void> };
  redis: { url: string; securedUrl: string };
  alertmanager: { url: string };
  /** Path of the certificate of the secured ports. */
  certificate: string;
  stop(): Promise<void>;
}
export const account: { username: string; password: string };
export function ensureServices(): void;
export function startServices(): Promise<Services>;
