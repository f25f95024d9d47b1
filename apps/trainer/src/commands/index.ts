import type { Define } from './define.ts'

/** A command as the list of commands has it. Its file is loaded when it is named: help must not wait for the model. */
interface LazyCommand {
  readonly name: string
  readonly description: string
  load(): Promise<{ readonly define: Define }>
}

export const COMMANDS: readonly LazyCommand[] = [
  {
    name: 'demo',
    description:
      'From a text to a model in about two minutes: tokenizer, manifold, training, report and a sample. Takes every flag of tau train',
    load: () => import('./demo.ts'),
  },
  {
    name: 'train',
    description: 'Train a model on text: tokenizer and manifold are built from it unless given',
    load: () => import('./train.ts'),
  },
  {
    name: 'eval',
    description: 'Loss of a model on a text: all of --data, or the text that its run held out',
    load: () => import('./eval.ts'),
  },
  {
    name: 'generate',
    description: 'Continue a text with a model, token by token',
    load: () => import('./generate.ts'),
  },
  {
    name: 'info',
    description: 'What runs here, or what a model folder holds',
    load: () => import('./info.ts'),
  },
  {
    name: 'report',
    description: 'Write report.html from metrics.jsonl again, also while the run goes on',
    load: () => import('./report.ts'),
  },
  {
    name: 'manifold',
    description: 'The graph of a domain, whose Laplacian λ is measured with',
    load: () => import('./manifold.ts'),
  },
  { name: 'tokenizer', description: 'How text becomes tokens', load: () => import('./tokenizer.ts') },
  {
    name: 'prepare',
    description: 'Tokenise text once, for many runs: .bin files of ids with a JSON header, and the tokenizer',
    load: () => import('./prepare.ts'),
  },
]
