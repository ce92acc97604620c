/** Which key is due first. A key's newer deadline replaces its older one. */
export interface Deadlines {
  set(key: string, at: number): void;
  delete(key: string): void;
  /** Takes the keys whose deadline lies before `now`, earliest first. */
  due(now: number): string[];
  /** Takes the key that is due first. */
  first(): string | undefined;
}

/** How many replaced entries the heap may hold beside as many as there are keys. */
const spare = 1000;

/**
 * A binary heap in which replaced entries stay until they surface, or are more than the others. Keys with one deadline
 * come by name, so that the order is the same however the heap came about.
 */
export function createDeadlines(): Deadlines {
  const current = new Map<string, number>();
  let heap: { key: string; at: number }[] = [];
  const before = (a: number, b: number) => {
    const [left, right] = [heap[a], heap[b]];
    if (left === undefined || right === undefined) return false;
    return left.at < right.at || (left.at === right.at && left.key < right.key);
  };
  const swap = (a: number, b: number) => {
    const [left, right] = [heap[a], heap[b]];
    if (left === undefined || right === undefined) return;
    heap[a] = right;
    heap[b] = left;
  };
  function rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!before(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  }
  function sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && before(child, least)) least = child;
      if (least === at) return;
      swap(at, least);
      at = least;
    }
  }
  function push(key: string, at: number): void {
    heap.push({ key, at });
    rise(heap.length - 1);
  }
  function take(now: number): string | undefined {
    for (let first = heap[0]; first !== undefined && first.at < now; first = heap[0]) {
      swap(0, heap.length - 1);
      heap.pop();
      sink();
      if (current.get(first.key) !== first.at) continue;
      current.delete(first.key);
      return first.key;
    }
    return undefined;
  }
  return {
    set(key, at) {
      if (current.get(key) === at) return;
      current.set(key, at);
      push(key, at);
      if (heap.length <= 2 * current.size + spare) return;
      heap = [];
      for (const [held, its] of current) push(held, its);
    },
    delete: (key) => void current.delete(key),
    due(now) {
      const keys: string[] = [];
      for (let key = take(now); key !== undefined; key = take(now)) keys.push(key);
      return keys;
    },
    first: () => take(Number.POSITIVE_INFINITY),
  };
}
