/** Takes the entries that were set first out of a map, until it has no more than `most`. */
export function forgetOldest(map: Map<unknown, unknown>, most: number): void {
	for (const key of map.keys()) {
		if (map.size <= most) return;
		map.delete(key);
	}
}
