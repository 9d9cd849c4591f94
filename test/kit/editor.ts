import { isDeepStrictEqual } from 'node:util';
import type { Locator } from 'playwright-core';

import type { Editor } from '../../tools/n8n/editor';
import { until } from './payments';

const LIMIT_MS = 30_000;

/** The first line of each of these texts. */
export const texts = async (elements: Locator): Promise<string[]> =>
	(await elements.allInnerTexts()).map((text) => text.split('\n')[0].trim());

/**
 * Holds the first lines of these texts, in their order, against what they should be. n8n draws in several
 * steps, so it looks until they are so.
 *
 * @throws Error, with what was to be seen at last, when they are not so within {@link LIMIT_MS}
 */
export async function expectTexts(elements: Locator, expected: string[]): Promise<void> {
	let seen: string[] = [];
	await until(
		async () => isDeepStrictEqual((seen = await texts(elements)), expected),
		LIMIT_MS,
		() => `${seen.join(', ')} instead of ${expected.join(', ')}`,
	);
}

/** Holds the names of the fields of the open node against what they should be, as {@link expectTexts} does. */
export async function expectFields({ fields }: Editor, expected: string[]): Promise<void> {
	await expectTexts(fields.getByTestId('parameter-item').locator('label:visible'), expected);
}

/** Opens a list of the open node, holds what it offers against what it should, and closes it. */
export async function expectOptions(
	editor: Editor,
	field: string,
	expected: string[],
): Promise<void> {
	await editor.field(field).click();
	await expectTexts(editor.page.getByRole('option').filter({ visible: true }), expected);
	await editor.page.keyboard.press('Escape');
}
