import fastify from 'fastify';

/** A tool as a language model is offered it. */
export interface OfferedTool {
	name: string;
	description: string;
	/** JSON schema of the arguments. */
	parameters: { properties: Record<string, unknown> };
}

/** What n8n asks the model. */
export interface Question {
	messages: Array<{ role: string; content: string }>;
	tools: OfferedTool[];
}

/** A tool that the model wants called, with the arguments. */
export interface ToolCall {
	call: string;
	with: object;
}

/** What the model answers: tools to be called in this turn, or text. */
export type Reply = ToolCall | ToolCall[] | { text: string };

/** A language model on loopback. */
export interface Model {
	/** What a person enters in n8n's OpenAI credential. */
	credential: { apiKey: string; url: string };
	/** All that it was asked, in order. */
	questions: Question[];
	close(): Promise<void>;
}

/**
 * Starts a server that speaks OpenAI's Chat Completions.
 *
 * @param reply takes the place of the model's judgement
 */
export async function startModel(reply: (question: Question) => Reply): Promise<Model> {
	const questions: Question[] = [];
	const app = fastify({ forceCloseConnections: true });
	app.post('/v1/chat/completions', async ({ body }) => {
		const { messages, tools } = body as {
			messages: Question['messages'];
			tools: Array<{ function: OfferedTool }>;
		};
		const question = { messages, tools: tools.map((tool) => tool.function) };
		questions.push(question);
		const given = reply(question);
		const isText = 'text' in given;
		const calls = isText ? [] : [given].flat();
		return {
			id: `completion-${questions.length}`,
			object: 'chat.completion',
			created: Math.floor(Date.now() / 1000),
			model: 'loopback',
			choices: [
				{
					index: 0,
					finish_reason: isText ? 'stop' : 'tool_calls',
					message: isText
						? { role: 'assistant', content: given.text }
						: {
								role: 'assistant',
								content: null,
								tool_calls: calls.map((each, index) => ({
									id: `call-${questions.length}-${index}`,
									type: 'function',
									function: { name: each.call, arguments: JSON.stringify(each.with) },
								})),
							},
				},
			],
			usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
		};
	});
	const url = await app.listen({ host: '127.0.0.1', port: 0 });
	return {
		credential: { apiKey: 'loopback', url: `${url}/v1` },
		questions,
		close: async () => await app.close(),
	};
}
