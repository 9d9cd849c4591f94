import axios from 'axios';
import type { INodeTypeDescription } from 'n8n-workflow';

import { exampleNames, readExample } from '../../../tools/exampleFiles';
import { sharedN8n } from '../../kit/n8n';

const { api } = sharedN8n();

describe('every example', () => {
	it('is made of nodes that n8n knows, in versions that it knows', async () => {
		const { data } = await axios.get<INodeTypeDescription[]>(`${api.url}/types/nodes.json`, {
			proxy: false,
			headers: { cookie: api.cookie },
		});
		const known = new Set(
			data.flatMap(({ name, version }) => [version].flat().map((number) => `${name} ${number}`)),
		);
		const used = exampleNames()
			.flatMap((name) => readExample(name).nodes)
			.map(({ type, typeVersion }) => `${type} ${typeVersion}`);
		expect(used.filter((node) => !known.has(node))).toEqual([]);
	});
});
