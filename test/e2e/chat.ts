import axios from 'axios';

import type { N8nApi } from '../../tools/n8n/api';
import { startFrom } from './example';

/** A question with buttons, as the chat shows it. */
export interface Approval {
	text: string;
	buttons: Array<{ text: string; link: string }>;
}

/** n8n answers programs that only look at a link, and takes these for none. */
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36';
const ANSWER_WITHIN_MS = 30_000;

/** A conversation in the chat below n8n's canvas. */
export class Chat {
	private readonly messages: string[] = [];
	private wake = () => {};

	private constructor(
		private readonly socket: WebSocket,
		/** The execution that answers. */
		readonly executionId: string,
	) {
		socket.addEventListener('message', ({ data }) => {
			const text = String(data);
			if (text === 'n8n|heartbeat') socket.send('n8n|heartbeat-ack');
			// The other control words only say that the execution goes on.
			if (text.startsWith('n8n|')) return;
			this.messages.push(text);
			this.wake();
		});
	}

	/**
	 * Writes the first message of a conversation.
	 *
	 * @param trigger the name of the workflow's chat trigger
	 */
	static async open(
		api: N8nApi,
		workflowId: string,
		trigger: string,
		message: string,
	): Promise<Chat> {
		const sessionId = `session-${workflowId}`;
		const item = { sessionId, action: 'sendMessage', chatInput: message };
		const executionId = await startFrom(api, workflowId, trigger, item);
		// It waits as soon as it has something to say.
		const { data } = await api.waitForExecution(
			({ id, status }) => id === executionId && status === 'waiting',
		);
		const query = new URLSearchParams({ sessionId, executionId, token: data.resumeToken ?? '' });
		const socket = new WebSocket(`${api.url.replace('http', 'ws')}/chat?${query}`);
		return new Chat(socket, executionId);
	}

	/**
	 * The next message of the assistant.
	 *
	 * @throws Error after 30 seconds without one
	 */
	async next(): Promise<string> {
		const until = Date.now() + ANSWER_WITHIN_MS;
		while (this.messages.length === 0) {
			const left = until - Date.now();
			if (left <= 0) throw new Error('The chat has no answer');
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, left);
				this.wake = () => {
					clearTimeout(timer);
					resolve();
				};
			});
		}
		return this.messages.shift()!;
	}

	/** The next message, which asks for an approval. */
	async approval(): Promise<Approval> {
		return JSON.parse(await this.next()) as Approval;
	}

	/** Clicks on a button. */
	async click({ buttons }: Approval, text: string): Promise<void> {
		const { link } = buttons.find((button) => button.text === text)!;
		await axios.get(link, { proxy: false, headers: { 'user-agent': BROWSER } });
	}

	close(): void {
		this.socket.close();
	}
}
