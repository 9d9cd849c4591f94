import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { selectors, type Browser, type Locator, type Page } from 'playwright-core';

import type { N8nApi } from './api';

/** Where {@link Editor.picture} puts its pictures. Nothing of it is kept in the repository. */
export const SCREENSHOTS_DIR = join(__dirname, '..', '..', 'reports', 'screenshots');

const VIEWPORT = { width: 1280, height: 800 };
/** A busy machine takes its time to load the editor. */
const TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 50;
/** How long following a link within the page may take before the page is loaded instead. */
const FOLLOW_TIMEOUT_MS = 5_000;
const KEY_DELAY_MS = 50;
/** More than n8n waits for the next key before it takes over a text. */
const TYPING_DELAY_MS = 1_000;
/** Between the steps of a drag, n8n looks at what is below the pointer. */
const DRAG_STEPS = 10;

selectors.setTestIdAttribute('data-test-id');

/** n8n's editor in a browser, used as people use it. Each click waits for its element; an element that does not appear is an Error. */
export class Editor {
	/** The panel with the fields of the node that is open. */
	readonly fields: Locator;
	/** The panel with what the open node was given. */
	readonly input: Locator;
	/** The panel with what the open node gave, or said. */
	readonly output: Locator;
	/** The dialog of a credential. */
	readonly credential: Locator;
	/** The panel in which nodes are searched for. */
	readonly nodePanel: Locator;

	private constructor(
		readonly page: Page,
		private readonly url: string,
	) {
		this.fields = page.getByTestId('node-parameters');
		this.input = page.getByTestId('ndv-input-panel');
		this.output = page.getByTestId('output-panel');
		this.credential = page.getByTestId('editCredential-modal');
		this.nodePanel = page.getByTestId('node-creator');
	}

	/**
	 * A new window, signed in as the user that `api` is. It shows nothing yet.
	 *
	 * @param viewport its size in pixels
	 */
	static async open(browser: Browser, api: N8nApi, viewport = VIEWPORT): Promise<Editor> {
		const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
		context.setDefaultTimeout(TIMEOUT_MS);
		await context.addCookies(
			api.cookie.split('; ').map((cookie) => {
				const [name, value] = cookie.split(/=(.*)/);
				return { name, value, url: api.url };
			}),
		);
		const page = await context.newPage();
		// Leaving a workflow that n8n has not stored yet.
		page.on('dialog', (dialog) => void dialog.accept());
		return new Editor(page, api.url);
	}

	/**
	 * Opens a stored workflow, or begins a new one. Only the first loads the page, and one after a dialog that was left open, and
	 * where n8n says 'Workflow not found' of a new one, as it does now and then.
	 */
	async openWorkflow(id = 'new'): Promise<void> {
		const path = `/workflow/${id}`;
		const canvas = this.page.getByTestId(/^canvas-(node|plus-button)$/).first();
		const arrive = async (go: () => Promise<unknown>, timeout = TIMEOUT_MS) => {
			// The canvas of a new workflow is shown before, and emptied.
			const named =
				id === 'new' && this.page.waitForResponse(/\/rest\/workflows\/new\b/, { timeout });
			await Promise.all([go(), named]);
			await canvas.waitFor({ timeout });
		};
		const load = async () =>
			await this.page.goto(this.url + path, { waitUntil: 'domcontentloaded' });
		const dialogs = this.page.getByTestId(/-modal$/).filter({ visible: true });
		if (this.page.url() === 'about:blank' || (await dialogs.count()) > 0) return await arrive(load);
		await this.leaveWorkflow();
		await canvas.waitFor({ state: 'detached' });
		await arrive(async () => await this.follow(path), FOLLOW_TIMEOUT_MS).catch(
			async () => await arrive(load),
		);
	}

	/** Goes to the list of workflows, whether or not the open one is stored. */
	private async leaveWorkflow(): Promise<void> {
		const left = this.follow('/home/workflows').then(() => true);
		const button = this.page.getByRole('button', { name: 'Leave without saving' });
		while (!(await Promise.race([left, this.page.waitForTimeout(LOOK_EVERY_MS)]))) {
			if (!(await button.isVisible())) continue;
			await button.click();
			await left;
		}
	}

	/** Goes where a link of the editor goes: within the page, since loading it takes four seconds of a processor. */
	private async follow(path: string): Promise<void> {
		await this.page
			.locator('#app')
			.evaluate(
				async (app, to) => await app.__vue_app__.config.globalProperties.$router.push(to),
				path,
			);
	}

	/** Searches for a first node in a new workflow. */
	async searchFirstNode(text: string): Promise<void> {
		await this.page.getByTestId('canvas-plus-button').click();
		await this.nodePanel.getByTestId('node-creator-search-bar').fill(text);
	}

	/** Begins a new workflow with an action of AcountPay, and opens its node. */
	async beginWith(action: string): Promise<void> {
		await this.openWorkflow();
		await this.searchFirstNode('acount');
		await this.nodePanel.getByText('AcountPay', { exact: true }).click();
		const item = this.nodePanel.getByText(action, { exact: true });
		if (!(await item.isVisible())) await this.nodePanel.getByText(/^Actions \(\d+\)$/).click();
		await item.click();
		await this.fields.waitFor();
	}

	/** Chooses a stored credential in the open node. */
	async chooseCredential(name: string): Promise<void> {
		const box = this.page.getByTestId('node-credentials-select');
		await box.click();
		await this.page
			.locator('[data-test-id^="node-credentials-select-item"]')
			.getByText(name, { exact: true })
			.click();
	}

	/** Publishes the workflow that is open. */
	async publish(): Promise<void> {
		await this.page.getByTestId('workflow-open-publish-modal-button').click();
		await this.page.getByTestId('workflow-publish-button').click();
		await this.page.getByText('Workflow published').waitFor();
	}

	/** Reads a workflow from a file into the new one that is open. */
	async importFile(file: string): Promise<void> {
		await this.page.getByTestId('workflow-menu').click();
		await this.page.getByTestId('workflow-menu-item-import').hover();
		const chooser = this.page.waitForEvent('filechooser');
		await this.page.getByText(/from file/i).click();
		await (await chooser).setFiles(file);
		await this.page.getByTestId('canvas-node').first().waitFor();
	}

	/** A node on the canvas. */
	node(name: string): Locator {
		return this.page.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`);
	}

	/** Opens a node of the canvas. */
	async openNode(name: string): Promise<void> {
		await this.node(name).dblclick();
		await this.fields.waitFor();
	}

	/** Goes back to the canvas. */
	async closeNode(): Promise<void> {
		await this.page.getByTestId('ndv-close-button').click();
		await this.fields.waitFor({ state: 'hidden' });
	}

	/** A field of the open node or credential, by the name that it has in a saved workflow. */
	field(name: string): Locator {
		return this.page.getByTestId(`parameter-input-${name}`);
	}

	/** Types into a field. */
	async fill(name: string, text: string): Promise<void> {
		const box = this.field(name).locator('input');
		await box.fill(text);
		await box.blur();
	}

	/** Types into a field key by key, and waits until n8n has taken over all of it: it does so with a delay. */
	async type(name: string, text: string): Promise<void> {
		const box = this.field(name).locator('input');
		await box.pressSequentially(text, { delay: KEY_DELAY_MS });
		await box.blur();
		await this.page.waitForTimeout(TYPING_DELAY_MS);
	}

	/** Chooses from the list of a field. */
	async choose(name: string, option: string): Promise<void> {
		await this.field(name).click();
		await this.page.getByRole('option', { name: option }).click();
	}

	/** Gives a field its default, by its menu. */
	async reset(name: string): Promise<void> {
		await this.field(name).hover();
		await this.page
			.getByTestId(`${name}-parameter-input-options-container`)
			.getByTestId('action-toggle')
			.click();
		await this.page.getByText('Reset Value', { exact: true }).last().click();
	}

	/** Adds a field from a list such as 'Additional Fields' or 'Options'. */
	async addField(list: string, field: string): Promise<void> {
		await this.fields
			.getByTestId('parameter-item')
			.filter({ hasText: list })
			.getByTestId('collection-parameter-add')
			.click();
		await this.page.getByRole('option', { name: field, exact: true }).click();
	}

	/** Types an expression, with its braces, into a field. */
	async fillExpression(name: string, expression: string): Promise<void> {
		await this.field(name).hover();
		await this.page
			.getByTestId(`${name}-parameter-input-options-container`)
			.getByTestId('radio-button-expression')
			.click();
		await this.field(name).locator('.cm-content').fill(expression);
		await this.leaveField();
	}

	private async leaveField(): Promise<void> {
		await this.page.getByTestId('tab-params').click();
	}

	/** Drags a field of the input onto a field of the open node. */
	async drag(from: string, to: string): Promise<void> {
		await this.input
			.getByTestId('run-data-schema-node-name')
			.getByText(from, { exact: true })
			.dragTo(this.field(to), { steps: DRAG_STEPS });
		// n8n goes to the field a moment later, and lays what it evaluates to over the next ones.
		await this.field(to).locator('.cm-focused').waitFor();
		await this.leaveField();
	}

	/**
	 * Runs the open node, which has not run yet, and the nodes before it that have not either.
	 *
	 * @returns when the editor shows the result
	 */
	async executeStep(): Promise<void> {
		const button = this.page.getByTestId('node-execute-button');
		await button.click();
		// Not n8n's message in the corner, which may be gone before a busy machine looks.
		await this.output
			.getByText(/^\d+ items?$/)
			.first()
			.waitFor();
		// It shows a circle until the editor has all that came.
		await button.getByText('Execute step').waitFor();
	}

	/** Chooses how the output is shown. */
	async showOutputAs(view: 'schema' | 'table' | 'json' | 'binary'): Promise<void> {
		await this.output.getByTestId(`radio-button-${view}`).click();
	}

	/** Keeps what the window shows now as `<name>.png` in {@link SCREENSHOTS_DIR}. */
	async picture(name: string, page = this.page): Promise<void> {
		mkdirSync(SCREENSHOTS_DIR, { recursive: true });
		await page.screenshot({
			path: join(SCREENSHOTS_DIR, `${name}.png`),
			animations: 'disabled',
			caret: 'hide',
		});
	}

	/** Closes the window. */
	async close(): Promise<void> {
		await this.page.context().close();
	}
}
