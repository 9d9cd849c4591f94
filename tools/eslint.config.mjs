/**
 * For what runs outside of n8n: n8n's rules without those that only make sense for code that n8n loads. The other folders
 * of that kind name this file. `npm run lint` has ESLint look for the configuration that is nearest to each file, so the one
 * of the root stays n8n's own, in strict mode, for what is published.
 */
import { config } from '@n8n/node-cli/eslint';

export default [
	// What is meant for the folders 'nodes' and 'credentials' of the root is not for folders of that name below this one.
	...config.filter(({ files }) => !files?.some((pattern) => pattern.startsWith('./'))),
	{
		files: ['**/*.ts'],
		rules: {
			'@n8n/community-nodes/no-dangerous-functions': 'off',
			'@n8n/community-nodes/no-restricted-globals': 'off',
			'@n8n/community-nodes/no-restricted-imports': 'off',
			'@n8n/community-nodes/require-node-api-error': 'off',
			'no-console': 'off',
		},
	},
];
