// Package tabular turns rows of a table into inputs of a network.
//
//	Read(CSV) ──► *Table ── Fit(training rows) ──► *Encoder ──► inputs, [rows, Size()] float32
//	                                                  │
//	              stored with the run (JSON) ◄────────┤
//	                                                  ▼
//	              Encode(one row by column name), Read(CSV of new rows)
//
// The first line of a file is its header. A column is numeric if its first cell is a number, else
// categorical. Numbers are standardized by the mean and the deviation of the training rows;
// categories become one input each, 1 or 0. Columns that are constant in the training rows give no
// input. Nothing is guessed: missing values, numbers among texts, unknown categories and values that
// overflow are errors that name the line and the column.
//
// Files and stored encoders are untrusted: bytes, rows, columns and text lengths are bounded.
package tabular
