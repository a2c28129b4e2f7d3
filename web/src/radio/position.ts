import type { GeoCell } from '../gen/GeoCell';

/** What the browser says about this page and locations. `unknown` is one that cannot be asked. */
export type Permission = 'granted' | 'prompt' | 'denied' | 'unknown' | 'unsupported';

export type Reading =
  | { cell: GeoCell }
  /** `dismissed`: not now, but not never; the browser would ask again. */
  | { fault: 'denied' | 'dismissed' | 'unavailable' | 'unsupported' };

/** Where the device is, as coarse as a cell: nothing finer leaves the implementation. */
export interface Position {
  permission(): Promise<Permission>;
  /** Reads once. The browser asks the person unless it knows the answer. */
  read(): Promise<Reading>;
}

/** H3 cells of about 36 km², the only ones that the server takes. */
const RESOLUTION = 6;
/** Waiting for a position, from the permission on, in ms. */
const TIMEOUT = 15_000;
/** A position that the device has found so lately will do, in ms. */
const MAXIMUM_AGE = 60_000;

/** The browser's own position. */
export class BrowserPosition implements Position {
  #status: PermissionStatus | null = null;

  /** `changed` tells what the browser allows from now on, once it was asked for the first time. */
  constructor(private readonly changed: (permission: Permission) => void) {}

  async permission(): Promise<Permission> {
    if (!isSecureContext || !('geolocation' in navigator)) return 'unsupported';
    try {
      this.#status ??= await this.#watch();
      return this.#status.state;
    } catch {
      return 'unknown';
    }
  }

  async read(): Promise<Reading> {
    if ((await this.permission()) === 'unsupported') return { fault: 'unsupported' };
    try {
      const { coords } = await currentPosition();
      // Loaded here and nowhere else: whoever shares nothing does not pay for it.
      const { latLngToCell } = await import('h3-js');
      return { cell: latLngToCell(coords.latitude, coords.longitude, RESOLUTION) };
    } catch (error) {
      if (!isRefusal(error)) return { fault: 'unavailable' };
      return { fault: (await this.permission()) === 'prompt' ? 'dismissed' : 'denied' };
    }
  }

  async #watch(): Promise<PermissionStatus> {
    const status = await navigator.permissions.query({ name: 'geolocation' });
    status.onchange = () => this.changed(status.state);
    return status;
  }
}

function currentPosition(): Promise<GeolocationPosition> {
  return new Promise((found, failed) => {
    navigator.geolocation.getCurrentPosition(found, failed, {
      enableHighAccuracy: false,
      timeout: TIMEOUT,
      maximumAge: MAXIMUM_AGE,
    });
  });
}

/** PERMISSION_DENIED of a GeolocationPositionError; its name is no value in every browser. */
function isRefusal(error: unknown): boolean {
  return (error as Partial<GeolocationPositionError> | null)?.code === 1;
}
