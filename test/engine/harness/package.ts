import { onEnd } from './environment';
import {
	cpSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectFolder } from './types';

/**
 * Writes a package into a temporary folder from which `n8n-workflow` is found; it is gone after the test file.
 *
 * @param files path → content; package.json among them
 * @returns the folder, for `createEngine({ folder })`
 */
export function writePackage(files: Record<string, string>): string {
	const folder = mkdtempSync(join(tmpdir(), 'n8n-package-'));
	onEnd(() => rmSync(folder, { recursive: true, force: true }));
	symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), content);
	}
	return folder;
}

/**
 * This package as built, with something changed: to see that a test notices.
 *
 * @param edits path of a built file → what becomes of its text
 * @returns the folder, for `createEngine({ folder })`
 * @throws when an edit changes nothing
 */
export function variantOfPackage(edits: Record<string, (text: string) => string>): string {
	const folder = writePackage({
		'package.json': readFileSync(join(projectFolder, 'package.json'), 'utf8'),
	});
	cpSync(join(projectFolder, 'dist'), join(folder, 'dist'), { recursive: true });
	for (const [path, edit] of Object.entries(edits)) {
		const before = readFileSync(join(folder, path), 'utf8');
		const after = edit(before);
		if (after === before) throw new Error(`The edit of ${path} changes nothing`);
		writeFileSync(join(folder, path), after);
	}
	return folder;
}

/**
 * For {@link variantOfPackage}: makes durations shorter.
 *
 * @param times how much shorter
 * @param names of constants or fields of a built file, each a number of ms or an array of them
 */
export const shorten =
	(times: number, ...names: string[]) =>
	(text: string): string =>
		names.reduce(
			(edited, name) =>
				edited.replace(
					new RegExp(`\\b(${name}(?: =|:)) (\\[[\\d_*, ]+\\]|[\\d_* ]+)`, 'g'),
					(_all, start: string, value: string) =>
						`${start} ${value.startsWith('[') ? `${value}.map((ms) => ms / ${times})` : `(${value}) / ${times}`}`,
				),
			text,
		);
