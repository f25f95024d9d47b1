import type { Define } from './define.ts'

/** An entry in the list of commands. The file of a command is loaded only if the command is named, so help
 *  starts fast. */
interface LazyCommand {
  readonly name: string
  readonly description: string
  load(): Promise<{ readonly define: Define }>
}

export const COMMANDS: readonly LazyCommand[] = [
  {
    name: 'demo',
    description:
      'Make a model from a text in about two minutes: tokenizer, manifold, training, report and a sample. It takes the settings of tau train as flags',
    load: () => import('./demo.ts'),
  },
  {
    name: 'train',
    description:
      'Train a model on a text; tokenizer and manifold are made from the text, unless you name files',
    load: () => import('./train.ts'),
  },
  {
    name: 'eval',
    description: 'Measure the loss of a model on the text of --data, or on the text that its run held out',
    load: () => import('./eval.ts'),
  },
  {
    name: 'generate',
    description: 'Continue a text with a model, token by token',
    load: () => import('./generate.ts'),
  },
  {
    name: 'info',
    description: 'Describe this machine, or the model in a folder',
    load: () => import('./info.ts'),
  },
  {
    name: 'report',
    description: 'Write report.html again from metrics.jsonl, also while the run is still going',
    load: () => import('./report.ts'),
  },
  {
    name: 'manifold',
    description: 'Build or inspect a manifold: the graph of a domain, whose Laplacian gives λ',
    load: () => import('./manifold.ts'),
  },
  { name: 'tokenizer', description: 'Learn a tokenizer', load: () => import('./tokenizer.ts') },
  {
    name: 'prepare',
    description:
      'Tokenise a text once for many runs: writes .bin files of ids, a JSON header, and the tokenizer',
    load: () => import('./prepare.ts'),
  },
]
